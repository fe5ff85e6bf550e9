/**
 * What a request is for: each limit counts some of them. `bulk` starts a request for many contacts, `poll` asks about it,
 * `suppressions` reads who must not be mailed.
 */
export type Traffic = 'contact' | 'event' | 'bulk' | 'poll' | 'read' | 'suppressions';

/** One shared rate limit: at most `requests` in any window of `perMs`. */
export interface RateLimit {
  readonly name: string;
  readonly requests: number;
  readonly perMs: number;
  /** Which requests it counts; all of them when absent. */
  readonly of?: readonly Traffic[] | undefined;
}

export interface Limits {
  readonly buckets: readonly RateLimit[];
  /** Requests in flight from one worker. */
  readonly concurrency: number;
  /** Most bytes of a request for one contact or its events; a larger one is refused before it is sent. Undefined where none is known. */
  readonly bytesPerRequest?: number | undefined;
}

/** The limits that count a request. */
export function limitsOf({ buckets }: Pick<Limits, 'buckets'>, traffic: Traffic): readonly RateLimit[] {
  return buckets.filter(({ of }) => of === undefined || of.includes(traffic));
}
