import type { Logger, Store, SweepPage, SweepTicket } from './ports.ts';
import { createPacer } from './sweep-pace.ts';
import { composeReport, type SweepReport, SweepTally, totalFound } from './sweep-report.ts';

/** Keys that are folded at once. */
const PAGE = 1_000;

export interface SweepOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly everyMs: number;
  readonly onFolded: () => void;
  /** Told the rows read so far, after each page. */
  readonly onProgress?: ((scanned: number) => void) | undefined;
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
): Promise<{ readonly scanned: number; readonly folded: number; readonly report: SweepReport } | undefined> {
  const { store, everyMs } = options;
  const ticket = await store.beginSweep(everyMs, force);
  if (ticket === undefined) return undefined;
  const done = await walk(options, ticket, signal);
  // Whoever starts next need not wait until ours would have run out.
  if (done === undefined) await store.leaveSweep();
  return done;
}

async function walk(
  { store, log, onFolded, onProgress }: SweepOptions,
  ticket: SweepTicket,
  signal: AbortSignal,
): ReturnType<typeof sweep> {
  const tally = new SweepTally();
  let folded = 0;
  const pacer = createPacer('compare', signal);
  for (let after: string | null = null; ;) {
    if (signal.aborted) return undefined;
    const from: string | null = after;
    const page: SweepPage = await pacer((size) => store.sweepPage(from, size));
    tally.add(page);
    onProgress?.(tally.scanned);
    folded += page.folded;
    if (page.folded > 0) onFolded();
    if (page.lastKey === null) break;
    after = page.lastKey;
  }
  const gone = await absent(store, signal);
  if (gone === undefined) return undefined;
  if (gone.length > 0) await store.foreseeDeletes(gone.length);
  for (let from = 0; from < gone.length; from += PAGE) {
    const { changed } = await store.foldKeys(gone.slice(from, from + PAGE));
    folded += changed;
    tally.add({ gone: changed });
  }
  if (gone.length > 0) onFolded();
  const report = composeReport(tally, await store.sweepFacts());
  // Whoever waits for the end of this sweep reads its report then.
  await store.reportSweep(report);
  await store.endSweep(ticket);
  logReport(log, report);
  return { scanned: tally.scanned, folded, report };
}

function logReport(log: Logger, { scanned, found, failed, why, unwatched, paused }: SweepReport): void {
  const causes = why.map(({ cause, source }) => (source === undefined ? cause : `${cause} ${source}`));
  const fields = { scanned, ...found, failed, why: causes, unwatched, paused };
  if (totalFound(found) > 0) log.info(fields, 'sweep found contacts that were not in step');
  else log.debug(fields, 'sweep found everything in step');
}

async function absent(store: Store, signal: AbortSignal): Promise<string[] | undefined> {
  const keys: string[] = [];
  const pacer = createPacer('absent', signal);
  for (let after = '0'; ;) {
    if (signal.aborted) return undefined;
    const from = after;
    const page = await pacer((size) => store.absentPage(from, size));
    keys.push(...page.keys);
    if (page.lastKey === null) return keys;
    after = page.lastKey;
  }
}
