import type { StandInMaker } from '../../../sandbox/stand-in.ts';
import { SendryStandIn } from './stand-in.ts';

/** The stand-in of the Sendry API: contacts, audiences, events and opt-outs. */
const makeStandIn: StandInMaker = (options) => new SendryStandIn(options);

export default makeStandIn;
