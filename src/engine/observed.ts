import type { Outcome } from '../core/outcome.ts';
import { codeIn, type Observation, type Observer, type Tally, tally } from './observer.ts';
import type { Send, Settlement, Store } from './ports.ts';
import { codeOf } from './trouble.ts';

/** Of jobs that were begun here, so many are remembered; one that was lost to another worker never ends here. */
const MOST_JOBS = 1_000;

interface KnownJob {
  readonly destination: string;
  readonly begunAt: number;
  left: number;
  outcome?: Outcome;
}

/**
 * The store, with an observer told of what passes through it. So the engine needs no line for it, and nothing that is observed
 * can change what it does.
 * @param nameOf the name of a destination by its id
 */
export function observedStore(store: Store, nameOf: (id: number) => string, observer: Observer): Store {
  const observe = telling(observer);
  const watched = watch(observe);
  const jobs = new Map<string, KnownJob>();
  const remember = (token: string, destination: number, left: number): void => {
    jobs.set(token, { destination: nameOf(destination), begunAt: Date.now(), left });
    const [oldest] = jobs.keys();
    if (jobs.size > MOST_JOBS && oldest !== undefined) jobs.delete(oldest);
  };
  return {
    ...store,
    fold: (limit) => watched('fold', store.fold(limit), (result) => ({ what: 'fold', result })),
    claim: (destination, lease, scope) =>
      watched('claim', store.claim(destination, lease, scope), ({ length }) => ({
        what: 'claim',
        destination: nameOf(destination),
        contacts: length,
      })),
    settle: (destination, lease, settlements) =>
      watched('settle', store.settle(destination, lease, settlements), () => ({
        what: 'settle',
        destination: nameOf(destination),
        tallies: tally(settlements.flatMap(outcomesOf)),
      })),
    async takeSends(destination, buckets, want) {
      const taken = await store.takeSends(destination, buckets, want);
      if (taken.granted === 0) {
        const names = buckets.map(({ name }) => name);
        observe(() => ({ what: 'limit', destination: nameOf(destination), buckets: names, waitMs: taken.waitMs }));
      }
      return taken;
    },
    async holdSends(destination, buckets, waitMs) {
      await store.holdSends(destination, buckets, waitMs);
      observe(() => ({ what: 'hold', destination: nameOf(destination), waitMs }));
    },
    async pause(destination, code, message, pauseMs) {
      await store.pause(destination, code, message, pauseMs);
      observe(() => ({ what: 'pause', destination: nameOf(destination), code }));
    },
    async reportSweep(report) {
      await store.reportSweep(report);
      observe(() => ({ what: 'sweep', report }));
    },
    async claimJob(destination, lease, scope) {
      const claimed = await store.claimJob(destination, lease, scope);
      if (claimed.length > 0) remember(lease.token, destination, claimed.length);
      return claimed;
    },
    async adoptJob(destination, holder, holdMs) {
      const job = await store.adoptJob(destination, holder, holdMs);
      if (job !== undefined) remember(job.token, destination, job.contacts);
      return job;
    },
    async settlePart(lease, graceMs, refused) {
      const job = jobs.get(lease.token);
      await watched('settle', store.settlePart(lease, graceMs, refused), () => ({
        what: 'settle',
        destination: job?.destination ?? '',
        tallies: tally(refused.map(({ outcome }) => ({ of: 'contact', outcome }))),
      }));
      if (job !== undefined) job.left -= refused.length;
    },
    async releaseJob(lease, again) {
      await store.releaseJob(lease, again);
      jobs.delete(lease.token);
    },
    async jobEnded(lease, result) {
      const ours = await store.jobEnded(lease, result);
      const job = jobs.get(lease.token);
      if (job !== undefined) job.outcome = result.outcome;
      if (ours && job !== undefined) {
        const { destination, begunAt: at } = job;
        const { kind: outcome } = result.outcome;
        observe(() => ({ what: 'job', destination, outcome, code: codeIn(result.outcome), at, ms: Date.now() - at }));
      }
      return ours;
    },
    async settleJob(lease, graceMs, limit) {
      const job = jobs.get(lease.token);
      const left = await watched('settle', store.settleJob(lease, graceMs, limit), (now) => ({
        what: 'settle',
        destination: job?.destination ?? '',
        tallies: ofJob(job, now),
      }));
      if (job !== undefined) job.left = left;
      if (left === 0) jobs.delete(lease.token);
      return left;
    },
  };
}

/** Sends for one destination, with an observer told of each request. */
export function observedSend(send: Send, destination: string, observer: Observer): Send {
  const observe = telling(observer);
  return async (request, auth, options) => {
    const at = Date.now();
    observe(() => ({ what: 'sending', destination }));
    const result = await send(request, auth, options);
    const code = result.answered ? undefined : codeIn(result.outcome);
    const status = result.answered ? result.response.status : undefined;
    observe(() => ({ what: 'send', destination, status, code, at, ms: result.latencyMs }));
    return result;
  };
}

/** Takes what to tell as a function, so that whatever fails in making or in taking it fails here. */
type Tell = (make: () => Observation) => void;

function telling(observer: Observer): Tell {
  return (make) => {
    try {
      observer(make());
    } catch {
      // `observeAll` has said so; the engine goes on.
    }
  };
}

type Untimed = Observation extends infer One ? (One extends { at: number } ? Omit<One, 'at' | 'ms'> : never) : never;

function watch(observe: Tell) {
  return async <T>(during: string, work: Promise<T>, seen: (value: T) => Untimed): Promise<T> => {
    const at = Date.now();
    const begun = performance.now();
    const took = (): { at: number; ms: number } => ({ at, ms: performance.now() - begun });
    let value: T;
    try {
      value = await work;
    } catch (error) {
      observe(() => ({ what: 'trouble', during, code: codeOf(error), ...took() }));
      throw error;
    }
    observe(() => ({ ...seen(value), ...took() }));
    return value;
  };
}

function outcomesOf({ outcome, events = [] }: Settlement): readonly { of: Tally['of']; outcome: Outcome }[] {
  const ofEvents = events.map((event) => ({ of: 'event' as const, outcome: event.outcome }));
  return outcome === undefined ? ofEvents : [{ of: 'contact', outcome }, ...ofEvents];
}

/** Of a job that another worker began, it is not known what came of it. */
function ofJob(job: KnownJob | undefined, left: number): readonly Tally[] {
  if (job?.outcome === undefined) return [];
  const { outcome } = job;
  const count = Math.max(0, job.left - left);
  return count === 0 ? [] : [{ of: 'contact', outcome: outcome.kind, code: codeIn(outcome), count }];
}
