import { RollcallError } from '../core/errors.ts';
import type { Backfill, BackfillRequest, BackfillStore } from '../engine/backfill-ports.ts';
import { pause } from '../engine/wake.ts';
import { sqlState } from '../sql/port.ts';

type Pending = Awaited<ReturnType<BackfillStore['backfillPending']>>;

/** A backfill that is over. */
export interface EndedBackfill {
  readonly run: Backfill;
  /** Refused by their destination. */
  readonly refused: Awaited<ReturnType<BackfillStore['endBackfill']>>;
  /** Held by a brake. */
  readonly held: Pending;
}

const LOOK_EVERY_MS = 500;

/**
 * Begins a backfill, or goes on with the same one.
 * @throws RollcallError `RC_SYNC_RESOURCE`, `RC_SYNC_OPEN`; the database's error
 */
export async function beginBackfill(store: BackfillStore, request: BackfillRequest): Promise<Backfill> {
  try {
    return await store.beginBackfill(request);
  } catch (error) {
    const { detail } = error as { detail?: string };
    if (sqlState(error) === 'RC005') {
      throw new RollcallError('RC_SYNC_RESOURCE', `Nothing of ${request.resource ?? ''} is synced as contacts.`, {
        hint: 'What can be synced is `users`, or a table of `table_mapping` as schema.table.',
        cause: error,
      });
    }
    if (sqlState(error) === 'RC006') {
      throw new RollcallError('RC_SYNC_OPEN', `Another backfill is not over yet (${detail ?? ''}).`, {
        hint: 'Run the command it was begun with until it ends; a running worker goes on with it as well.',
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Watches a backfill that workers are at until everybody is delivered or refused.
 * @param look told how it stands, every half second
 * @returns undefined when the signal stopped the watching
 */
export async function followBackfill(
  store: BackfillStore,
  run: Backfill,
  look: (run: Backfill, pending: Pending) => void,
  signal: AbortSignal,
): Promise<EndedBackfill | undefined> {
  let last = run;
  while (!signal.aborted) {
    const open = await store.openBackfill();
    if (open !== undefined) last = open;
    const pending = await store.backfillPending();
    const waiting = pending.reduce((sum, each) => sum + each.pending, 0);
    // Another process that follows it may have ended it first.
    if (open === undefined || (open.walked && waiting === 0)) {
      return { run: last, refused: await store.endBackfill(last.id), held: pending.filter((each) => each.held > 0) };
    }
    look(last, pending);
    await pause(LOOK_EVERY_MS, signal);
  }
  return undefined;
}
