import type { Bulk, BulkStart, Delivery } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { Outcome } from '../core/outcome.ts';
import { retryDelayMs } from '../core/retry.ts';
import type { JobLease, JobResult } from './job-ports.ts';
import type { LaneShared } from './lane-shared.ts';
import type { Lane, SendResult } from './ports.ts';
import { note } from './note.ts';
import { pause } from './wake.ts';

/** What came of a request for many: `again` when it was not taken now, `refused` when nobody knows because of whom. */
export type JobEnd = 'delivered' | 'refused' | 'again';

export interface JobRunner {
  /** Brings a request to its end whose worker is gone; undefined when there is none. */
  takeOver(): Promise<JobEnd | undefined>;
  /** Sends what waits in a lane, if it may; undefined when nothing was to be sent together. */
  send(lane: Lane, most: number): Promise<JobEnd | undefined>;
}

/** From each sign of life of its worker; one that is gone for so long is replaced. */
const HOLD_MS = 5_000;
const START_MS = 60_000;
const POLL_FIRST_MS = 200;
const POLL_MOST_MS = 10_000;
const SETTLE = 5_000;
/** Longer than the grace of a single request: what works on after its answer may begin late. */
const GRACES = 5;

export function createJob(lane: LaneShared, bulk: Bulk<unknown>): JobRunner {
  const { store, destination, config, state, signal, log } = lane;
  const holder = crypto.randomUUID();
  const auth = destination.auth(config);
  const graceMs = lane.graceMs * GRACES;

  // Gives signs of life while it is waited for.
  const held = async <T>(lease: JobLease, work: Promise<T>): Promise<T> => {
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
  };

  const settle = async (lease: JobLease, result: JobResult, contacts: number): Promise<JobEnd> => {
    const { outcome, latencyMs } = result;
    log.info(
      { destination: state.name, contacts, outcome: outcome.kind, ms: Math.round(latencyMs) },
      'contacts sent together',
    );
    if (!(await store.jobEnded(lease, result))) return 'again';
    return await settleRest(lease, outcome);
  };
  // The signal is not looked at: this is what is left to be written down, and soon done.
  const settleRest = async (lease: JobLease, outcome: Outcome): Promise<JobEnd> => {
    while ((await store.settleJob(lease, graceMs, SETTLE)) > 0) lane.claimable.ring();
    lane.claimable.ring();
    return outcome.kind === 'delivered' ? 'delivered' : 'again';
  };

  const watch = async (
    lease: JobLease,
    remoteId: string,
    givesUpAt: number,
    contacts: number,
    begunAt: number,
  ): Promise<JobEnd> => {
    const end = async (outcome: Outcome): Promise<JobEnd> => {
      await note(lane, outcome, begunAt);
      const waitMs = outcome.kind === 'delivered' ? 0 : retryDelayMs({ tries: 1, random: lane.random() });
      return await settle(lease, { outcome, waitMs, latencyMs: performance.now() - begunAt }, contacts);
    };
    for (let waitMs = POLL_FIRST_MS; ; waitMs = Math.min(POLL_MOST_MS, waitMs * 1.5)) {
      if (performance.now() > givesUpAt) {
        return await end({
          kind: 'unknown',
          code: 'job_endless',
          message: 'It had not ended after the time it may take.',
        });
      }
      await pause(Math.min(waitMs, HOLD_MS / 3), signal);
      if (signal.aborted) {
        await store.holdJob({ ...lease, holdMs: 0 });
        return 'again';
      }
      if (!(await store.holdJob(lease))) return 'again';
      if (!(await lane.limiter.acquire(performance.now() + HOLD_MS / 2, signal))) continue;
      const answer = await held(
        lease,
        lane.send(bulk.poll(remoteId, config), auth, { deadlineMs: lane.times.requestMs }),
      );
      if (!answer.answered) continue;
      const progress = bulk.progress(answer.response);
      if (progress.kind === 'ended') return await end(progress.outcome);
      if (progress.kind === 'unanswered') await note(lane, progress.outcome, performance.now() - answer.latencyMs);
    }
  };

  const start = async (lease: JobLease, deliveries: readonly Delivery[]): Promise<JobEnd> => {
    let left = deliveries;
    for (;;) {
      const rows = left.map((delivery) => bulk.row(delivery, state.plan, config));
      const request = bulk.request(rows, config);
      const begunAt = performance.now();
      if (!(await lane.limiter.acquire(begunAt + HOLD_MS / 2, signal))) {
        await store.releaseJob(lease, { waitMs: 0, failed: false, single: false });
        return 'again';
      }
      if (!(await store.jobSending(lease))) return 'again';
      const answer = await held(lease, lane.send(request, auth, { deadlineMs: START_MS }));
      const started = startOf(answer, rows, bulk);
      if (started.kind === 'started') {
        if (!(await store.jobRunning(lease, started.id))) return 'again';
        return await watch(lease, started.id, begunAt + lane.times.jobMs, left.length, begunAt);
      }
      if (started.kind === 'refused') {
        const refused = left.flatMap((delivery, n) => {
          const outcome = started.rows.get(n);
          return outcome === undefined ? [] : [{ delivery, outcome, waitMs: 1_000 }];
        });
        await store.settlePart(lease, lane.graceMs, refused);
        left = left.filter((_, n) => !started.rows.has(n));
        log.warn(
          { destination: state.name, rows: refused.length },
          'rows were refused; the others are sent again without them',
        );
        if (left.length > 0) continue;
        await store.releaseJob(lease, { waitMs: 0, failed: false, single: false });
        return 'delivered';
      }
      return await failed(lease, started.outcome, left, begunAt);
    }
  };

  const failed = async (
    lease: JobLease,
    outcome: Extract<BulkStart, { kind: 'failed' }>['outcome'],
    deliveries: readonly Delivery[],
    begunAt: number,
  ): Promise<JobEnd> => {
    await note(lane, outcome, begunAt);
    const latencyMs = performance.now() - begunAt;
    if (outcome.kind === 'unknown') return await settle(lease, { outcome, waitMs: 0, latencyMs }, deliveries.length);
    const refused = outcome.kind === 'reject';
    log.warn(
      { destination: state.name, contacts: deliveries.length, code: outcome.code },
      'contacts could not be sent together',
    );
    await store.releaseJob(lease, {
      waitMs: 0,
      failed: outcome.kind === 'retry',
      single: refused && deliveries.length === 1,
    });
    return refused ? 'refused' : 'again';
  };

  return {
    async takeOver() {
      const orphan = await store.adoptJob(state.id, holder, HOLD_MS);
      if (orphan === undefined) return undefined;
      const lease = { token: orphan.token, holder, holdMs: HOLD_MS };
      log.info(
        { destination: state.name, contacts: orphan.contacts, state: orphan.state },
        'took over a request whose worker is gone',
      );
      const begunAt = performance.now() - orphan.begunMsAgo;
      if (orphan.state === 'claimed') {
        await store.releaseJob(lease, { waitMs: 0, failed: false, single: false });
        return 'delivered';
      }
      if (orphan.state === 'ended') return await settleRest(lease, { kind: 'delivered' });
      if (orphan.state === 'running' && orphan.remoteId !== null) {
        return await watch(lease, orphan.remoteId, performance.now() + orphan.givesUpInMs, orphan.contacts, begunAt);
      }
      const outcome: Outcome = {
        kind: 'unknown',
        code: 'no_answer',
        message: 'Its worker ended before the answer came.',
      };
      return await settle(lease, { outcome, waitMs: 0, latencyMs: 0 }, orphan.contacts);
    },
    async send(which, most) {
      const lease = { token: crypto.randomUUID(), holder, holdMs: HOLD_MS };
      const { mostBytes, consents, atOnce } = bulk;
      const scope = { lane: which, most, mostBytes, consents, atOnce, jobMs: lane.times.jobMs };
      const deliveries = await store.claimJob(state.id, lease, scope);
      return deliveries.length === 0 ? undefined : await start(lease, deliveries);
    },
  };
}

function startOf(answer: SendResult, rows: readonly JsonObject[], bulk: Bulk<unknown>): BulkStart {
  if (answer.answered) return bulk.started(answer.response, rows);
  const { outcome } = answer;
  if (outcome.kind !== 'delivered') return { kind: 'failed', outcome };
  return { kind: 'failed', outcome: { kind: 'unknown', code: 'no_outcome', message: 'The answer could not be read.' } };
}
