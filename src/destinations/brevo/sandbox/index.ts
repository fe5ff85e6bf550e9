import type { StandInMaker } from '../../../sandbox/stand-in.ts';
import { BrevoStandIn } from './stand-in.ts';

/** The stand-in of Brevo's API (v3): contacts, lists, attributes, imports and events. */
const makeStandIn: StandInMaker = (options) => new BrevoStandIn(options);

export default makeStandIn;
