import type { Logger, Store, SweepPage, SweepTicket } from './ports.ts';
import { createPacer } from './sweep-pace.ts';
import { composeReport, type SweepReport, SweepTally, totalFound } from './sweep-report.ts';

/** Keys that are folded at once. */
const PAGE = 1_000;
/** Deletions by absence above both of these wait for a person (DESIGN promise 7). */
const BRAKE_SHARE = 0.02;
const BRAKE_LEAST = 10;

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
 * Then looks for contacts whose user is gone.
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
  const note = brakeNote(gone.keys.length, gone.contacts);
  if (note === null) {
    for (let from = 0; from < gone.keys.length; from += PAGE) {
      const { changed } = await store.foldKeys(gone.keys.slice(from, from + PAGE));
      folded += changed;
      tally.add({ gone: changed });
    }
    if (gone.keys.length > 0) onFolded();
  } else {
    log.error(
      { absent: gone.keys.length, contacts: gone.contacts },
      'too many contacts have no user and no row any more; none was deleted',
    );
  }
  const report = composeReport(tally, await store.sweepFacts());
  // Whoever waits for the end of this sweep reads its report then.
  await store.reportSweep(report);
  await store.endSweep(ticket, note);
  logReport(log, report);
  return { scanned: tally.scanned, folded, report };
}

function logReport(log: Logger, { scanned, found, failed, why, unwatched, paused }: SweepReport): void {
  const causes = why.map(({ cause, source }) => (source === undefined ? cause : `${cause} ${source}`));
  const fields = { scanned, ...found, failed, why: causes, unwatched, paused };
  if (totalFound(found) > 0) log.info(fields, 'sweep found contacts that were not in step');
  else log.debug(fields, 'sweep found everything in step');
}

/** Why the deletions are not carried out; null when they may be. */
export function brakeNote(absentContacts: number, contacts: number): string | null {
  if (absentContacts < BRAKE_LEAST || absentContacts <= contacts * BRAKE_SHARE) return null;
  return `${absentContacts} of ${contacts} contacts have no user and no row any more, and nobody saw them go. None was deleted at a destination: check that auth.users and your tables are complete.`;
}

async function absent(store: Store, signal: AbortSignal): Promise<{ keys: string[]; contacts: number } | undefined> {
  const keys: string[] = [];
  let contacts = 0;
  const pacer = createPacer('absent', signal);
  for (let after = '0'; ;) {
    if (signal.aborted) return undefined;
    const from = after;
    const page = await pacer((size) => store.absentPage(from, size));
    contacts += page.scanned;
    keys.push(...page.keys);
    if (page.lastKey === null) return { keys, contacts };
    after = page.lastKey;
  }
}
