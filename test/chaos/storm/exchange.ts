import type { DestinationId } from './plan.ts';
import type { Fate } from './weather.ts';

/** The clock that all processes of this machine share, in ms; not that of the calendar. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** A request of a worker, and what became of it. Times are of `sharedNow`. */
export interface Exchange {
  readonly n: number;
  readonly destination: DestinationId;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** As the worker's witness named it: `pid.number`. */
  readonly sentAs: string;
  readonly arrivedAt: number;
  readonly fate: Fate;
  /** When it went on to the stand-in; twice for some, never for others. */
  readonly forwardedAt: number[];
  /** The last status of the stand-in. */
  status?: number;
  /** When the sender had its whole answer, as far as the proxy knows; never when it was cut off or lied to. */
  answeredAt?: number;
}

/** The header that tells the sandbox's call log which exchange a call belongs to. */
export const EXCHANGE_HEADER = 'x-chaos-exchange';
