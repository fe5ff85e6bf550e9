/** How much one invocation takes before it ends by itself. */
export interface Budget {
  /** Of the processor, in ms: the platform ends a request that took 2,000. */
  readonly cpuMs: number;
  /** By the clock, in ms: the platform ends it after 150 s. */
  readonly wallMs: number;
  /** Requests to destinations, where nobody tells the time of the processor. */
  readonly requests: number;
}

/**
 * Far enough below the platform's limits (supabase.com/docs/guides/functions/limits) that what is in flight ends within them: a
 * request to a destination takes 8 s at most, a settle some milliseconds. The rest of the 2 s is for the start of an isolate, which
 * reads a config and makes its first connections, and for the collector of garbage.
 */
export const DEFAULT_BUDGET: Budget = { cpuMs: 900, wallMs: 100_000, requests: 1_000 };

/** What an invocation has taken so far. */
export interface Spent {
  /** Undefined where nobody tells. */
  readonly cpuMs: number | undefined;
  readonly wallMs: number;
  readonly requests: number;
}

/** Whether it is time to end. */
export function isOver(budget: Budget, { cpuMs, wallMs, requests }: Spent): boolean {
  return wallMs >= budget.wallMs || (cpuMs === undefined ? requests >= budget.requests : cpuMs >= budget.cpuMs);
}
