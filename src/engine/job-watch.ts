import type { Outcome } from '../core/outcome.ts';
import { retryDelayMs } from '../core/retry.ts';
import { held, HOLD_MS, type JobContext, type JobEnd, settleJob } from './job-context.ts';
import type { JobLease } from './job-ports.ts';
import { note } from './note.ts';

/** A job at work at the destination. Times are of `performance.now()`. */
export interface RunningJob {
  /** The destination's own id of it. */
  readonly id: string;
  readonly contacts: number;
  readonly begunAt: number;
  /** Until when it is waited for. */
  readonly givesUpAt: number;
}

const ENDLESS: Outcome = {
  kind: 'unknown',
  code: 'job_endless',
  message: 'It had not ended after the time it may take.',
};

/** Asks about a job until it has ended, and settles it. When the signal aborts it is left to the next worker. */
export async function watchJob(context: JobContext, lease: JobLease, job: RunningJob): Promise<JobEnd> {
  const { lane, bulk, auth } = context;
  const { store, signal } = lane;
  const { watch } = bulk;
  if (watch === undefined) return await end(context, lease, job, ENDLESS);
  for (let waitMs = watch.firstMs; ; waitMs = Math.min(watch.mostMs, waitMs * 1.5)) {
    if (performance.now() > job.givesUpAt) return await end(context, lease, job, ENDLESS);
    await held(context, lease, lane.notified.wait(waitMs, signal));
    if (signal.aborted) {
      await store.holdJob({ ...lease, holdMs: 0 });
      return 'again';
    }
    if (!(await store.holdJob(lease))) return 'again';
    if (!(await lane.limiters.acquire('poll', performance.now() + HOLD_MS / 2, signal))) continue;
    const asked = lane.send(watch.poll(job.id, lane.config), auth, { deadlineMs: lane.times.requestMs });
    const answer = await held(context, lease, asked);
    if (!answer.answered) continue;
    const progress = watch.progress(answer.response);
    if (progress.kind === 'partial') return await eachAlone(context, lease, job);
    if (progress.kind === 'ended') return await end(context, lease, job, progress.outcome);
    if (progress.kind === 'unanswered')
      await note(lane, progress.outcome, performance.now() - answer.latencyMs, 'poll');
  }
}

/** It is over, so nothing of it is in flight: what it did not do is done by requests that tell what is wrong. */
async function eachAlone({ lane }: JobContext, lease: JobLease, { contacts }: RunningJob): Promise<JobEnd> {
  lane.log.warn(
    { destination: lane.state.name, contacts },
    'not all contacts were accepted together; each is sent alone',
  );
  await lane.store.releaseJob(lease, { waitMs: 0, failed: false, single: true });
  return 'delivered';
}

async function end(context: JobContext, lease: JobLease, job: RunningJob, outcome: Outcome): Promise<JobEnd> {
  const { lane } = context;
  await note(lane, outcome, job.begunAt, 'bulk');
  const waitMs = outcome.kind === 'delivered' ? 0 : retryDelayMs(lane.retry, { tries: 1, random: lane.random() });
  return await settleJob(context, lease, { outcome, waitMs, latencyMs: performance.now() - job.begunAt }, job.contacts);
}
