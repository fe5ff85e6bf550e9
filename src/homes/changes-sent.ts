import { pause } from '../engine/wake.ts';
import type { Queryable } from '../sql/port.ts';

const LOOK_MS = 250;

/** Nothing waits to be folded, and nothing live to be sent but what waits for longer than a lease. */
const SENT = `select rollcall.fold_lag_ms() = 0 and not exists (
  select from rollcall.destinations d
    cross join lateral (select from rollcall.due q where q.queue = d.id * 4 and q.due_at < clock_timestamp() + interval '15 seconds' limit 1) q
   where d.enabled and d.paused_until is null) as sent`;

/**
 * Waits until the changes that a reading by the API found are sent: where no worker runs, nobody else would do it. Of a project's own
 * database they are the workers'.
 */
export async function changesSent(sql: Queryable, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [row] = await sql.query<{ sent: boolean }>(SENT);
    if (row?.sent === true) return;
    await pause(LOOK_MS, signal);
  }
}
