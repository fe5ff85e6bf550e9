import type { StandInMaker } from '../../../sandbox/stand-in.ts';
import { WebhookStandIn } from './stand-in.ts';

/** A receiver of Standard Webhooks that does what README.md asks of one. */
const makeStandIn: StandInMaker = (options) => new WebhookStandIn(options);

export default makeStandIn;
