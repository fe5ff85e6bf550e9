import type { Cli } from './cli.ts';
import { databaseError } from './database-error.ts';
import { pause } from '../engine/wake.ts';

/** Between two tries while the database is away. */
const AWAY_MS = 2_000;
/** What passes by itself: a restart, a failover, a lock. */
const PASSING = ['RC_DATABASE_UNREACHABLE', 'RC_DATABASE_BUSY'];

/**
 * A look that outlives the database's absence, for commands that run until Ctrl-C: it is said once that it is away, and once that it is back.
 * @param look reads anew, and has changed nothing where it fails
 * @returns what was seen; undefined when the signal came first
 * @throws what `look` throws for any other reason
 */
export async function lookUntil<Seen>(
  look: () => Promise<Seen>,
  signal: AbortSignal,
  cli: Cli,
): Promise<Seen | undefined> {
  let away = false;
  while (!signal.aborted) {
    try {
      const seen = await look();
      if (away) cli.note('The database is back.');
      return seen;
    } catch (error) {
      const known = databaseError(error);
      if (known === undefined || !PASSING.includes(known.code)) throw error;
      if (!away) cli.note(`${known.message} It is tried again until it is back; Ctrl-C ends it.`);
      away = true;
    }
    await pause(AWAY_MS, signal);
  }
  return undefined;
}
