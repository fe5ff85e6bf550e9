import type { Config } from '../../config/types.ts';
import type { Logger } from '../../engine/ports.ts';
import { tellUnmapped } from '../../engine/fold-loop.ts';
import { createTrouble } from '../../engine/trouble.ts';
import { pause } from '../../engine/wake.ts';
import { createConsumer, type Consumer } from './consume.ts';
import { judgeBudget, nextStep } from './decide.ts';
import type { Taken, WalState, WalStore, WalTable } from './ports.ts';
import { openStream, type WalStream } from './stream.ts';

export interface WalOptions {
  readonly url: string;
  readonly sslRootCert: string | undefined;
  readonly store: WalStore;
  readonly log: Logger;
  readonly budget: Config['wal'];
  /** Something is new in the log. */
  readonly onTaken: () => void;
  /** Something was folded that is due now. */
  readonly onFolded: () => void;
  /** Makes missing triggers at once, and not when that is due. */
  readonly ensureTriggers: () => Promise<unknown>;
}

const REST_MS = 5_000;
const AGAIN_MS = 500;
/** Tables change hands, and the budget is looked at. */
const LOOK_MS = 500;
/** Of locks: somebody writes, and we do not wait. */
const BUSY = new Set(['55P03', '40P01']);
const IN_USE = '55006';
const MOVED = 'RC007';

/**
 * Captures by the WAL while the config wants that, until the signal aborts: makes the slot, reads it where nobody else does, and hands
 * tables over from triggers and back. What is wanted stands in the database, so every worker may run it: the slot is the lease.
 */
export async function runWal(options: WalOptions, signal: AbortSignal): Promise<void> {
  const { store, log } = options;
  const trouble = createTrouble(log, {}, 'read the write-ahead log');
  const guard = createGuard(options);
  while (!signal.aborted) {
    try {
      const state = await store.state();
      const step = state === undefined ? 'rest' : nextStep(state);
      if (state === undefined || step === 'rest') {
        await pause(REST_MS, signal);
      } else if (step === 'make') {
        await store.publish();
        if (await store.make()) log.info({}, 'made the replication slot');
      } else if (step === 'lost') {
        if (await store.lost(state.madeAt)) {
          log.error({ why: state.trouble }, 'the replication slot was lost: a sweep compares everybody');
          await options.ensureTriggers();
        }
      } else if (!(await guard(state))) {
        // Another worker reads it.
        if (state.busy) await pause(AGAIN_MS, signal);
        else await lead(state, options, signal);
      }
      trouble.worked();
    } catch (error) {
      if (codeOf(error) !== IN_USE && codeOf(error) !== MOVED) trouble.failed(error);
      await pause(AGAIN_MS, signal);
    }
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

/** Looks at what the slot keeps; true when it was dropped. */
function createGuard(options: WalOptions): (state: WalState) => Promise<boolean> {
  const { store, log, budget } = options;
  let warned = false;
  return async (state) => {
    const judged = judgeBudget(state, budget);
    const fields = { mb: Math.round(state.keptBytes / 1_048_576) };
    if (judged === 'fine') warned = false;
    if (judged === 'warn' && !warned) {
      warned = true;
      log.warn(fields, 'the replication slot keeps much of the write-ahead log');
    }
    if (judged === 'give up' && (await store.giveUp('budget'))) {
      log.error(fields, 'the replication slot keeps too much: triggers capture from now on');
    }
    if (judged !== 'drop') return false;
    await store.giveUp('budget');
    await handOverAll({ ...state, wanted: false }, 0n, options).catch(() => undefined);
    await store.drop();
    log.error(fields, 'the replication slot was dropped, as it kept too much: triggers capture from now on');
    return true;
  };
}

/** Reads the slot until something ends that. */
async function lead(state: WalState, options: WalOptions, signal: AbortSignal): Promise<void> {
  const { store, log, url, sslRootCert } = options;
  const onTaken = (taken: Taken): void => {
    if (typeof taken === 'string') return options.onTaken();
    if (taken.changed > 0) options.onFolded();
    tellUnmapped(log, taken.failed);
  };
  const consumer = createConsumer({ state, store, onTaken });
  const stream = await openStream({
    url,
    sslRootCert,
    slot: state.slot ?? '',
    from: state.from.at,
    wanted: consumer.wanted,
  });
  log.info({}, 'reading the write-ahead log');
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  let ended = false;
  try {
    const parts = [
      consumer.run(stream, until),
      keep(state, consumer, stream, options, until).then((over) => void (ended = over)),
    ];
    const over = await Promise.allSettled(parts.map((part) => part.finally(() => stop.abort())));
    for (const part of over) if (part.status === 'rejected') throw part.reason;
  } finally {
    await stream.close();
  }
  if (!ended) return;
  // Nobody reads it any more, which the server may see a moment later.
  for (let n = 0; n < 20 && !signal.aborted; n += 1) {
    try {
      if (await store.end(consumer.read())) log.info({}, 'triggers capture; the replication slot is gone');
      return;
    } catch (error) {
      if (codeOf(error) !== IN_USE) throw error;
      await pause(LOOK_MS / 5, signal);
    }
  }
}

/** Hands over tables while the slot is read. Resolves when the signal aborts; with true when the slot is not needed any more. */
async function keep(
  first: WalState,
  consumer: Consumer,
  stream: WalStream,
  options: WalOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, log } = options;
  const guard = createGuard(options);
  const trouble = createTrouble(log, {}, 'hand over tables to the write-ahead log');
  for (let state: WalState | undefined = first; !signal.aborted; state = await store.state()) {
    if (state === undefined || state.slot === null || state.trouble !== null) return false;
    // Another config: what is not read yet is read by it.
    if (state.version !== first.version || (await guard(state))) return false;
    try {
      await consumer.acknowledge(stream);
      await handOverAll(state, consumer.read(), options);
      // After them: what is published no more is not read.
      if (state.wanted && (await store.publish())) log.info({}, 'the publication has other tables now');
      trouble.worked();
    } catch (error) {
      trouble.failed(error);
    }
    if (!state.wanted && state.sources.every(({ owned, until }) => !owned && (until ?? 0n) <= consumer.read()))
      return true;
    await pause(LOOK_MS, signal);
  }
  return false;
}

/** What fails at one table keeps none of the others. @throws the first failure */
async function handOverAll({ sources, wanted }: WalState, read: bigint, options: WalOptions): Promise<void> {
  let failure: unknown;
  for (const table of sources) {
    await handOver(table, wanted, read, options).catch((error: unknown) => {
      failure ??= error;
    });
  }
  if (failure !== undefined) throw failure;
}

/** Writers are not waited for: what cannot be had at once is tried again. */
async function handOver(
  { name, owned, misfit }: WalTable,
  wanted: boolean,
  read: bigint,
  { store, log }: WalOptions,
): Promise<void> {
  const fits = wanted && misfit === null;
  if (owned === fits) return;
  try {
    const done = owned ? await store.handBack(name) : await store.takeOver(name, read);
    if (!done) return;
    if (owned) log.info({ table: name }, 'triggers capture this table');
    else log.info({ table: name }, 'the write-ahead log captures this table');
  } catch (error) {
    if (!BUSY.has(String(codeOf(error)))) throw error;
  }
}
