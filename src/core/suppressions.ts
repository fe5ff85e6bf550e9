import type { Exchange } from './destination.ts';
import type { InboundFact } from './inbound.ts';
import { parseIsoTime } from './time.ts';

/** An address that a destination will not mail. */
export interface RemoteSuppression {
  readonly address: string;
  readonly reason: 'unsubscribe' | 'complaint' | 'bounce' | 'manual';
  /** When it was recorded there: ISO 8601; undefined when the answer does not say. */
  readonly at?: string | undefined;
}

/** Somebody decided so, or the person did: both are a no. A bounce says nothing of that. */
const KINDS: Readonly<Record<RemoteSuppression['reason'], InboundFact['kind']>> = {
  unsubscribe: 'opt_out',
  manual: 'opt_out',
  complaint: 'complaint',
  bounce: 'bounce',
};

/** What a suppression says, as a fact: the same one whenever, and by whatever command, it is read. */
export function factOf({ address, reason, at }: RemoteSuppression): InboundFact {
  const id = ['pulled', reason, at ?? '', address].join(' ');
  return { id, kind: KINDS[reason], address, at: at === undefined ? undefined : parseIsoTime(at), event: reason };
}

/** A part of those who must not be mailed. */
export interface SuppressionPage {
  readonly rows: readonly RemoteSuppression[];
  /** Where the next page begins; the last one names none. */
  readonly next?: string | undefined;
}

/** Reading who must not be mailed. */
export interface SuppressionPlan<Config> {
  /** One page; `after` is undefined for the first, then what the page before named as `next`. */
  page(after: string | undefined, config: Config): Exchange<SuppressionPage>;
}
