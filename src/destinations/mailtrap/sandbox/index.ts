import type { StandInMaker } from '../../../sandbox/stand-in.ts';
import { MailtrapStandIn } from './stand-in.ts';

/** The stand-in of the Mailtrap Contacts API. */
const makeStandIn: StandInMaker = (options) => new MailtrapStandIn(options);

export default makeStandIn;
