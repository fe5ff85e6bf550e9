import type { Bulk, BulkStart } from '../core/bulk.ts';
import type { Delivery } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { Outcome } from '../core/outcome.ts';
import { held, HOLD_MS, type JobContext, type JobEnd, settleJob } from './job-context.ts';
import type { JobLease, JobStore } from './job-ports.ts';
import type { RunningJob } from './job-watch.ts';
import { note } from './note.ts';
import type { SendResult } from './ports.ts';

const START_MS = 60_000;
/** Of a row that may be sent again, after its refusal. */
const AGAIN_MS = 1_000;

/**
 * Sends one request for many contacts. Rows that are refused by name are settled, and the others sent again without them.
 * @returns the job at work there, or what came of it; all that was sent can be forgotten by then
 */
export async function startJob(
  context: JobContext,
  lease: JobLease,
  deliveries: readonly Delivery[],
): Promise<RunningJob | JobEnd> {
  const { lane, bulk, auth } = context;
  const { store, state, config, log } = lane;
  for (let left = deliveries; ;) {
    const rows = left.map((delivery) => bulk.row(delivery, state.plan, config));
    const begunAt = performance.now();
    if (!(await lane.limiters.acquire('bulk', begunAt + HOLD_MS / 2, lane.signal))) {
      await store.releaseJob(lease, UNTRIED);
      return 'again';
    }
    if (!(await store.jobSending(lease))) return 'again';
    const answer = await held(context, lease, lane.send(bulk.request(rows, config), auth, { deadlineMs: START_MS }));
    const started = startOf(answer, rows, bulk);
    if (started.kind === 'failed')
      return await failed(context, lease, { ...started, answered: answer.answered }, left.length, begunAt);
    if (started.kind === 'answered') return await answered(context, lease, left, started, begunAt);
    if (started.kind === 'started') {
      if (!(await store.jobRunning(lease, started.id))) return 'again';
      return { id: started.id, contacts: left.length, begunAt, givesUpAt: begunAt + lane.times.jobMs };
    }
    const refused = named(left, started.rows, lane.retry.windowMs);
    await store.settlePart(lease, lane.graceMs, refused);
    log.warn(
      { destination: state.name, rows: refused.length },
      'rows were refused; the others are sent again without them',
    );
    left = left.filter((_, n) => !started.rows.has(n));
    if (left.length > 0) continue;
    await store.releaseJob(lease, UNTRIED);
    return 'delivered';
  }
}

const UNTRIED = { waitMs: 0, failed: false, single: false } as const;

function startOf(answer: SendResult, rows: readonly JsonObject[], bulk: Bulk<unknown>): BulkStart {
  if (answer.answered) return bulk.started(answer.response, rows);
  const { outcome } = answer;
  if (outcome.kind !== 'delivered') return { kind: 'failed', outcome };
  return { kind: 'failed', outcome: { kind: 'unknown', code: 'no_outcome', message: 'The answer could not be read.' } };
}

/** What to record of the rows that an answer names. */
function named(
  deliveries: readonly Delivery[],
  rows: ReadonlyMap<number, Outcome>,
  windowMs: number,
): Parameters<JobStore['settlePart']>[2] {
  return deliveries.flatMap((delivery, n) => {
    const outcome = rows.get(n);
    if (outcome === undefined) return [];
    return [{ delivery, outcome, waitMs: outcome.kind === 'reject' ? 0 : AGAIN_MS, windowMs }];
  });
}

/** The answer told what became of each: those that were not accepted are settled by themselves, then all others. */
async function answered(
  context: JobContext,
  lease: JobLease,
  deliveries: readonly Delivery[],
  { outcome, rows }: Extract<BulkStart, { kind: 'answered' }>,
  begunAt: number,
): Promise<JobEnd> {
  const { lane } = context;
  const apart = named(deliveries, rows, lane.retry.windowMs);
  if (apart.length > 0) await lane.store.settlePart(lease, lane.graceMs, apart);
  await note(lane, outcome, begunAt, 'bulk');
  const latencyMs = performance.now() - begunAt;
  return await settleJob(context, lease, { outcome, waitMs: 0, latencyMs }, deliveries.length - apart.length);
}

async function failed(
  context: JobContext,
  lease: JobLease,
  { outcome, answered }: Extract<BulkStart, { kind: 'failed' }> & { readonly answered: boolean },
  contacts: number,
  begunAt: number,
): Promise<JobEnd> {
  const { lane } = context;
  await note(lane, outcome, begunAt, 'bulk');
  if (outcome.kind === 'unknown') {
    const latencyMs = performance.now() - begunAt;
    return await settleJob(context, lease, { outcome, waitMs: 0, latencyMs }, contacts);
  }
  lane.log.warn({ destination: lane.state.name, contacts, code: outcome.code }, 'contacts could not be sent together');
  // A refusal without a name: who is left alone with it in the end is sent by a request of their own.
  const refused = outcome.kind === 'reject';
  await lane.store.releaseJob(lease, {
    waitMs: 0,
    failed: outcome.kind === 'retry',
    // A server that says that it failed may have begun, and a job goes on by itself.
    doubtMs: outcome.kind === 'retry' && answered ? lane.graceMs : undefined,
    windowMs: lane.retry.windowMs,
    single: refused && contacts === 1,
  });
  return refused ? 'refused' : 'again';
}
