import { createBrakeWatch } from './brake-watch.ts';
import type { Logger, Store } from './ports.ts';
import { createTableWatch, type SourceWatch } from './source-watch.ts';
import { sweep } from './sweep.ts';
import type { EngineTimes } from './times.ts';
import { createTrouble } from './trouble.ts';
import { pause } from './wake.ts';

export interface UpkeepOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly sweepEveryMs: number;
  /** Whether it sweeps when it starts, also when none is due; a home that starts every few seconds does not. True when absent. */
  readonly sweepAtStart?: boolean | undefined;
  readonly times: EngineTimes;
  readonly source: SourceWatch;
  readonly onFolded: () => void;
  readonly isFatal: (error: unknown) => boolean;
}

const KEEP_ATTEMPTS_MS = 7 * 24 * 3_600_000;
/** Each prunes some thousand rows, so that what is written at full speed is pruned as fast. */
const BITES = 20;

/**
 * Until the signal aborts: makes missing triggers, looks at paused tables, sweeps on start, on schedule and when capture missed
 * something, and keeps the tables small. What fails holds up nothing else.
 */
export async function runUpkeep(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { store, log, sweepEveryMs, onFolded, source, times } = options;
  const tables = createTableWatch(log);
  const brakes = createBrakeWatch(log);
  let force = options.sweepAtStart ?? true;
  const chores = [
    // Before the sweep, which finds what they did not see.
    chore('make missing triggers', async () => {
      const made = await store.ensureTriggers();
      if (made > 0) log.info({ triggers: made }, 'made triggers that were missing');
    }),
    chore('look at paused tables', async () => tables.paused(await store.recheckSources())),
    chore('sweep', async () => {
      const done = await sweep({ store, log, everyMs: sweepEveryMs, onFolded }, force, signal);
      if (done === undefined) return;
      force = false;
      await source.readable();
    }),
    chore('look at the brakes', async () => brakes.stopped(await store.stoppedBrakes())),
    chore('tidy up', async () => {
      for (let n = 0; n < BITES && !signal.aborted && (await store.tidy(KEEP_ATTEMPTS_MS)); n += 1);
    }),
  ].map((each) => ({ ...each, trouble: createTrouble(log, {}, each.what) }));
  while (!signal.aborted) {
    for (const { run, trouble } of chores) {
      try {
        await run();
        trouble.worked();
      } catch (error) {
        if (options.isFatal(error)) return;
        if (!(await source.failed(error))) trouble.failed(error);
      }
    }
    await pause(times.upkeepEveryMs, signal);
  }
}

/** @param what the end of a sentence that starts with "could not" */
function chore(what: string, run: () => Promise<void>): { readonly what: string; readonly run: () => Promise<void> } {
  return { what, run };
}
