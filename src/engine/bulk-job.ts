import type { Bulk } from '../core/bulk.ts';
import type { Outcome } from '../core/outcome.ts';
import { createJobContext, HOLD_MS, type JobEnd, settleJob, settleRest } from './job-context.ts';
import { startJob } from './job-start.ts';
import { watchJob } from './job-watch.ts';
import type { LaneShared } from './lane-shared.ts';
import type { Lane } from './ports.ts';

export interface JobRunner {
  /** Brings a request to its end whose worker is gone; undefined when there is none. */
  takeOver(): Promise<JobEnd | undefined>;
  /** Sends what waits in a lane, if it may; undefined when nothing was to be sent together. */
  send(lane: Lane, most: number): Promise<JobEnd | undefined>;
}

const NO_ANSWER: Outcome = { kind: 'unknown', code: 'no_answer', message: 'Its worker ended before the answer came.' };

export function createJob(lane: LaneShared, bulk: Bulk<unknown>): JobRunner {
  const { store, state, log } = lane;
  const holder = crypto.randomUUID();
  const context = createJobContext(lane, bulk);
  return {
    async takeOver() {
      const orphan = await store.adoptJob(state.id, holder, HOLD_MS);
      if (orphan === undefined) return undefined;
      const lease = { token: orphan.token, holder, holdMs: HOLD_MS };
      const { contacts, remoteId } = orphan;
      log.info({ destination: state.name, contacts, state: orphan.state }, 'took over a request whose worker is gone');
      if (orphan.state === 'claimed') {
        await store.releaseJob(lease, { waitMs: 0, failed: false, single: false });
        return 'delivered';
      }
      if (orphan.state === 'ended') return await settleRest(context, lease, { kind: 'delivered' });
      if (orphan.state === 'running' && remoteId !== null) {
        const now = performance.now();
        const times = { begunAt: now - orphan.begunMsAgo, givesUpAt: now + orphan.givesUpInMs };
        return await watchJob(context, lease, { id: remoteId, contacts, ...times });
      }
      return await settleJob(context, lease, { outcome: NO_ANSWER, waitMs: 0, latencyMs: 0 }, contacts);
    },
    async send(which, most) {
      const lease = { token: crypto.randomUUID(), holder, holdMs: HOLD_MS };
      const { mostBytes, consents, atOnce } = bulk;
      const scope = { lane: which, most, mostBytes, consents, atOnce, jobMs: lane.times.jobMs };
      const job = await begin(lease, scope);
      return typeof job === 'object' ? await watchJob(context, lease, job) : job;
    },
  };

  // By itself, so that the many that were sent are not kept while their job is watched.
  async function begin(
    lease: Parameters<typeof startJob>[1],
    scope: Parameters<typeof store.claimJob>[2],
  ): Promise<Awaited<ReturnType<typeof startJob>> | undefined> {
    const deliveries = await store.claimJob(state.id, lease, scope);
    if (deliveries.length === 0) return undefined;
    const together = deliveries.filter((each) => bulk.alone?.(each, state.plan, lane.config) !== true);
    if (together.length < deliveries.length) {
      const kept = new Set(together.map(({ contactId }) => contactId));
      const apart = deliveries.flatMap(({ contactId }) => (kept.has(contactId) ? [] : [contactId]));
      await store.releasePart(lease, apart);
    }
    if (together.length > 0) return await startJob(context, lease, together);
    await store.releaseJob(lease, { waitMs: 0, failed: false, single: false });
    return undefined;
  }
}
