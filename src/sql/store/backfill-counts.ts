import type { BackfillCounts } from '../../engine/backfill-ports.ts';

/** Counts by state, as `rollcall.count_page` names them: `created`, `skipped not_synced`, `failed 22P02`. */
export function countsOf(states: Readonly<Record<string, number>>): BackfillCounts {
  const under = (prefix: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(states).flatMap(([state, n]) =>
        state.startsWith(prefix) ? [[state.slice(prefix.length), n]] : [],
      ),
    );
  const { created = 0, updated = 0, unchanged = 0 } = states;
  return { created, updated, unchanged, skipped: under('skipped '), failed: under('failed ') };
}
