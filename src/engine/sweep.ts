import type { Logger, Store, SweepTicket } from './ports.ts';

const PAGE = 1_000;

export interface SweepOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly everyMs: number;
  readonly onFolded: () => void;
}

/**
 * Looks at every user once, when that is due: compares what each shall be with what is desired and folds the difference.
 * Then, once all has been read, folds contacts whose user is gone: each is checked by itself there, and meets the brake.
 * @returns what was done; undefined when no sweep was due, another worker is at one, or the signal aborted it
 */
export async function sweep(
  options: SweepOptions,
  force: boolean,
  signal: AbortSignal,
): Promise<{ readonly scanned: number; readonly folded: number } | undefined> {
  const { store, everyMs } = options;
  const ticket = await store.beginSweep(everyMs, force);
  if (ticket === undefined) return undefined;
  const done = await walk(options, ticket, signal);
  // Whoever starts next need not wait until ours would have run out.
  if (done === undefined) await store.leaveSweep();
  return done;
}

async function walk(
  { store, log, onFolded }: SweepOptions,
  ticket: SweepTicket,
  signal: AbortSignal,
): ReturnType<typeof sweep> {
  let scanned = 0;
  let folded = 0;
  for (let after: string | null = null; ;) {
    if (signal.aborted) return undefined;
    const page = await store.sweepPage(after, PAGE);
    scanned += page.scanned;
    folded += page.folded;
    if (page.folded > 0) onFolded();
    if (page.lastKey === null) break;
    after = page.lastKey;
  }
  const gone = await absent(store, signal);
  if (gone === undefined) return undefined;
  if (gone.length > 0) await store.foreseeDeletes(gone.length);
  for (let from = 0; from < gone.length; from += PAGE) {
    folded += (await store.foldKeys(gone.slice(from, from + PAGE))).changed;
  }
  if (gone.length > 0) onFolded();
  await store.endSweep(ticket, null);
  if (folded > 0) log.info({ scanned, folded }, 'sweep found contacts that were not in step');
  else log.debug({ scanned }, 'sweep found everything in step');
  return { scanned, folded };
}

async function absent(store: Store, signal: AbortSignal): Promise<string[] | undefined> {
  const keys: string[] = [];
  for (let after = '0'; ;) {
    if (signal.aborted) return undefined;
    const page = await store.absentPage(after, PAGE);
    keys.push(...page.keys);
    if (page.lastId === null) return keys;
    after = page.lastId;
  }
}
