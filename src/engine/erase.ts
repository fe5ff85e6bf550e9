import type { Destination, RemoteContact } from '../core/destination.ts';
import { retryDelayMs, type RetrySchedule } from '../core/retry.ts';
import type { ErasedContact, ErasureStore } from './erasure-ports.ts';
import { backfillBuckets, createLimiters, type Limiters } from './limiters.ts';
import type { DestinationState, Logger, Send, Store } from './ports.ts';
import { readAnswer } from './read-answer.ts';
import type { EngineTimes } from './times.ts';
import { createTrouble } from './trouble.ts';
import { pause, type Wake } from './wake.ts';

export interface ErasuresOptions {
  readonly erasures: ErasureStore;
  readonly log: Logger;
  readonly times: Pick<EngineTimes, 'upkeepEveryMs' | 'eraseLookMs'>;
  /** Told while somebody is being erased. */
  readonly onErasing: () => void;
  readonly isFatal: (error: unknown) => boolean;
}

/**
 * Finishes erasures until the signal aborts, and has all destinations looked at meanwhile. A worker that dies in between leaves
 * nothing undone that another one would not do again.
 */
export async function runErasures(options: ErasuresOptions, signal: AbortSignal): Promise<void> {
  const { erasures, log, times, onErasing } = options;
  const trouble = createTrouble(log, {}, 'finish erasures');
  while (!signal.aborted) {
    let open = 0;
    try {
      const done = await erasures.finish();
      for (const erasure of done.finished) log.info({ erasure }, 'somebody was erased');
      ({ open } = done);
      if (open > 0) onErasing();
      trouble.worked();
    } catch (error) {
      if (options.isFatal(error)) return;
      trouble.failed(error);
    }
    await pause(open > 0 ? times.eraseLookMs : times.upkeepEveryMs, signal);
  }
}

export interface LooksOptions {
  readonly destination: Destination<unknown>;
  readonly config: unknown;
  readonly state: DestinationState;
  readonly store: Pick<Store, 'takeSends'>;
  readonly erasures: ErasureStore;
  readonly send: Send;
  readonly log: Logger;
  readonly retry: RetrySchedule;
  readonly random: () => number;
  readonly times: Pick<EngineTimes, 'requestMs' | 'leaseMs'>;
  /** Rung while somebody is being erased. */
  readonly erasing: Wake;
  readonly isFatal: (error: unknown) => boolean;
}

/** Longest without a ring: a net under it. */
const IDLE_MS = 600_000;

/**
 * Looks at a destination for those who were deleted there, until the signal aborts. It takes no permit that whoever is live needs. A
 * look changes nothing there; what is found goes back into the queue as a deletion.
 */
export async function runLooks(options: LooksOptions, signal: AbortSignal): Promise<void> {
  const { destination, config, state, store, erasures, log, erasing, times } = options;
  const trouble = createTrouble(log, { destination: state.name }, 'look for the erased');
  const limiters = createLimiters(
    destination.limits(config),
    (of, want) => store.takeSends(state.id, backfillBuckets(of), want),
    () => 0,
  );
  const reads = destination.lookup !== undefined;
  let failures = 0;
  for (;;) {
    await erasing.wait(IDLE_MS, signal);
    if (signal.aborted) return;
    try {
      for (;;) {
        const next = await erasures.take(state.id, reads, times.leaseMs);
        if (next === undefined || signal.aborted) break;
        const found = await look(options, limiters, next, signal);
        failures = found === 'not_now' ? failures + 1 : 0;
        if (found !== 'not_now') await erasures.note(state.id, next.contactId, found);
        else {
          const waitMs = retryDelayMs(options.retry, { tries: failures, random: options.random() });
          await erasures.again(state.id, next.contactId, waitMs);
          break;
        }
      }
      trouble.worked();
    } catch (error) {
      if (options.isFatal(error)) return;
      trouble.failed(error);
    }
  }
}

/** Where they stand; undefined when nowhere; or that it could not be told. */
async function look(
  { destination, config, send, times }: LooksOptions,
  limiters: Limiters,
  { places }: ErasedContact,
  signal: AbortSignal,
): Promise<ErasedContact['places'][number] | 'not_now' | undefined> {
  const auth = destination.auth(config);
  const until = performance.now() + times.leaseMs - times.requestMs;
  for (const place of places) {
    const exchange = destination.lookup?.(place, config);
    if (exchange === undefined) return 'not_now';
    if (!(await limiters.acquire('read', until, signal))) return 'not_now';
    const answer = readAnswer(exchange, await send(exchange.request, auth, { deadlineMs: times.requestMs, signal }));
    if (!answer.ok) return 'not_now';
    const found: RemoteContact | null = answer.value;
    if (found !== null) return { address: found.address ?? place.address, id: found.id ?? place.id };
  }
  return undefined;
}
