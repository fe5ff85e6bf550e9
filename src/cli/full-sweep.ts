import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { sourceProblem } from '../engine/fatal.ts';
import { type SweepOptions, sweep } from '../engine/sweep.ts';
import type { SweepReport } from '../engine/sweep-report.ts';
import { pause } from '../engine/wake.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import type { SweepProgress } from './sweep-progress.ts';

/** Between looks at whether another sweep has come to its end. */
const AGAIN_MS = 500;

/**
 * Reads every row now, in this process, and queues whoever is not as the rows say.
 * @returns undefined when the signal aborted it
 * @throws RollcallError `RC_SOURCE_PAUSED` where `auth.users` can't be read; what Postgres says where the install is another one
 */
export async function fullSweep(
  { config, sql, progress }: { readonly config: Config; readonly sql: Sql; readonly progress: SweepProgress },
  signal: AbortSignal,
): Promise<SweepReport | undefined> {
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
  const run = inTurn({ ...options, onProgress: progress.rows }, () => progress.waiting(), signal);
  return await run.catch(unreadable);
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
