import type { Bulk } from '../core/bulk.ts';
import type { Auth } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { JobLease, JobResult } from './job-ports.ts';
import type { LaneShared } from './lane-shared.ts';
import { pause } from './wake.ts';

/** What came of a request for many: `again` when it was not taken now, `refused` when nobody knows because of whom. */
export type JobEnd = 'delivered' | 'refused' | 'again';

/** What all that is done about a job needs. */
export interface JobContext {
  readonly lane: LaneShared;
  readonly bulk: Bulk<unknown>;
  readonly auth: Auth;
  /** Of an attempt of unknown outcome: longer than that of a single request, as what works on after its answer may begin late. */
  readonly graceMs: number;
}

/** From each sign of life of its worker; one that is gone for so long is replaced. */
export const HOLD_MS = 5_000;
const GRACES = 5;
/** Contacts that are settled in one transaction. */
const SETTLE = 5_000;

export function createJobContext(lane: LaneShared, bulk: Bulk<unknown>): JobContext {
  return { lane, bulk, auth: lane.destination.auth(lane.config), graceMs: lane.graceMs * GRACES };
}

/** Gives signs of life while `work` is waited for. */
export async function held<T>({ lane: { store } }: JobContext, lease: JobLease, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const holding = (async () => {
    while (!over.signal.aborted) {
      await pause(HOLD_MS / 3, over.signal);
      if (!over.signal.aborted) await store.holdJob(lease).catch(() => undefined);
    }
  })();
  try {
    return await work;
  } finally {
    over.abort();
    await holding;
  }
}

/** Writes down what became of a job, and of its contacts. */
export async function settleJob(
  context: JobContext,
  lease: JobLease,
  result: JobResult,
  contacts: number,
): Promise<JobEnd> {
  const { store, state, log } = context.lane;
  const { outcome, latencyMs } = result;
  log.info(
    { destination: state.name, contacts, outcome: outcome.kind, ms: Math.round(latencyMs) },
    'contacts sent together',
  );
  const { windowMs } = context.lane.retry;
  if (!(await store.jobEnded(lease, { ...result, windowMs }))) return 'again';
  return await settleRest(context, lease, outcome);
}

/** Settles what is left of a job that has ended. No signal stops it: it is soon done. */
export async function settleRest({ lane, graceMs }: JobContext, lease: JobLease, outcome: Outcome): Promise<JobEnd> {
  while ((await lane.store.settleJob(lease, graceMs, SETTLE)) > 0) lane.claimable.ring();
  lane.claimable.ring();
  return outcome.kind === 'delivered' ? 'delivered' : 'again';
}
