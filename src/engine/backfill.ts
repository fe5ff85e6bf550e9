import type { Backfill } from './backfill-ports.ts';
import type { Logger, Store } from './ports.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

export interface BackfillOptions {
  readonly store: Store;
  readonly log: Logger;
  /** How often to look for a walk that nobody is at, in ms. */
  readonly lookEveryMs: number;
  readonly onFolded: () => void;
  readonly isFatal: (error: unknown) => boolean;
}

/** From each page on; a worker that is gone for so long is replaced. */
const HOLD_MS = 1_500;
/** A page is made as large as can be read in about this time, so that whoever waits for a contact in it waits no longer. */
const AIM_MS = 150;
const LEAST_ROWS = 50;
const MOST_ROWS = 2_000;
/** Changes of the app go first: while they have waited so long in the log, no page is read. */
const LAG_MS = 100;
const YIELD_MS = 20;
/** But for no longer than this each time, so that a busy app does not stop it. */
const LONGEST_YIELD_MS = 2_000;

/**
 * Walks the backfill that is open, whoever began it, until the signal aborts. Only one worker does; when it dies another one goes
 * on from the last page that was committed.
 */
export async function runBackfill(options: BackfillOptions, signal: AbortSignal): Promise<void> {
  const { store, log } = options;
  const holder = crypto.randomUUID();
  const trouble = createTrouble(log, {}, 'walk the backfill');
  while (!signal.aborted) {
    try {
      const run = await store.holdBackfill(holder, HOLD_MS);
      if (run === undefined) await pause(options.lookEveryMs, signal);
      else await walk(options, run, holder, signal);
      trouble.worked();
    } catch (error) {
      if (options.isFatal(error)) return;
      trouble.failed(error);
      await pause(options.lookEveryMs, signal);
    }
  }
}

async function walk(
  { store, log, onFolded }: BackfillOptions,
  { id, pages }: Backfill,
  holder: string,
  signal: AbortSignal,
): Promise<void> {
  let rows = LEAST_ROWS * 4;
  for (let page = pages + 1; !signal.aborted; page += 1) {
    await giveWay(store, signal);
    const begunAt = performance.now();
    log.debug({ backfill: id, page, rows }, 'backfill page');
    const read = await store.backfillPage(id, holder, HOLD_MS, rows);
    if (read === undefined) return;
    if (read.changed > 0) onFolded();
    if (read.walked) {
      log.info({ backfill: id }, 'backfill has read every row');
      return;
    }
    rows = nextRows(rows, performance.now() - begunAt);
  }
}

/** How many rows the next page has, by the time that the last one took. */
export function nextRows(rows: number, tookMs: number): number {
  const fitting = (rows * AIM_MS) / Math.max(1, tookMs);
  return Math.round(Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.min(fitting, rows * 2))));
}

async function giveWay(store: Store, signal: AbortSignal): Promise<void> {
  const until = performance.now() + LONGEST_YIELD_MS;
  while (!signal.aborted && performance.now() < until && (await store.foldLagMs()) > LAG_MS)
    await pause(YIELD_MS, signal);
}
