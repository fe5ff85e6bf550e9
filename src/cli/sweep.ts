import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { sourceProblem } from '../engine/fatal.ts';
import { type SweepOptions, sweep } from '../engine/sweep.ts';
import type { SweepReport } from '../engine/sweep-report.ts';
import { pause } from '../engine/wake.ts';
import { identityOf } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { stopSignal } from './stop-signal.ts';
import { createSweepProgress } from './sweep-progress.ts';
import { renderSweep } from './sweep-view.ts';
import { withDatabase } from './with-database.ts';

/** Between looks at whether another sweep has come to its end. */
const AGAIN_MS = 500;

/** `rollcall sweep`: compares everybody now. It sends nothing: what it finds goes into the queue of the workers. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Reads every row now and queues whoever is not as the rows say: what triggers have missed. Says what it found, and why. The workers send it.',
    )
    .option('--json', 'print the report as one JSON document')
    .addHelpText('after', examples('rollcall sweep', 'rollcall sweep --json'));
  cli.action(command, runSweep);
}

async function runSweep({ json = false }: { readonly json?: boolean }, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const stop = stopSignal(cli.io);
  const progress = createSweepProgress(cli.io.stderr);
  try {
    const report = await withDatabase(config, async (sql) => {
      const identity = identityOf(config);
      // A copy of a database, or another config, is told before anything is written.
      await sql.query('select rollcall.check_install($1, $2, $3)', [
        identity.configHash,
        identity.projectRef,
        identity.environment,
      ]);
      const store = createStore(sql, identity);
      await store.ensureTriggers();
      await store.recheckSources();
      const options = { store, log: QUIET, everyMs: config.sweep.everyMs, onFolded: () => undefined };
      const run = inTurn({ ...options, onProgress: progress.rows }, () => progress.waiting(), stop.signal);
      return await run.catch(unreadable);
    });
    progress.end();
    if (report === undefined) {
      cli.note('Stopped. What was found is queued; nobody was deleted for being absent. A worker sweeps again.');
      return 1;
    }
    if (json) cli.json(report);
    else cli.say(renderSweep(report, { width: widthOf(cli.io.stdout), paint: cli.paint }));
    return 0;
  } finally {
    progress.end();
    stop.done();
  }
}

/** Where `auth.users` cannot be read the sweep ends: nobody is there, or everybody. */
function unreadable(error: unknown): never {
  const problem = sourceProblem(error);
  if (problem === undefined) throw error;
  throw new RollcallError(
    'RC_SOURCE_PAUSED',
    `auth.users can't be read (${problem.code}): ${redact(problem.message)}`,
    {
      hint: 'Run `rollcall apply`, or put back what is gone. Nobody was deleted for being absent.',
      cause: error,
    },
  );
}

/** The report says it all. */
const QUIET = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** Waits for a sweep that is at work, as it may have passed what somebody looks for, and then runs one. */
async function inTurn(
  options: SweepOptions,
  onWait: () => void,
  signal: AbortSignal,
): Promise<SweepReport | undefined> {
  while (!signal.aborted) {
    const done = await sweep(options, true, signal);
    if (done !== undefined) return done.report;
    if (signal.aborted) break;
    onWait();
    await pause(AGAIN_MS, signal);
  }
  return undefined;
}
