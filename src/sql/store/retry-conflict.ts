import { sqlState } from '../port.ts';

/**
 * What two writers of the same contacts can do to each other: a deadlock, or an address that both took at the same moment
 * (the loser of a unique index then sees the winner). Each attempt is one transaction, so it can be made again as it is.
 */
const CONFLICTS = new Set(['40P01', '40001', '23505']);
const TRIES = 5;

/** Runs `work` again, up to five times in all, while it fails because of another writer. */
export async function retryConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!CONFLICTS.has(sqlState(error) ?? '') || tries >= TRIES) throw error;
    }
  }
}
