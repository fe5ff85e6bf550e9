/**
 * When the attempt that is being settled was claimed, by the database's clock, as SQL. What was sent later than that is no earlier
 * attempt, so a doubt that ended before it is over with its acceptance. Of one under a lost lease nothing is known.
 * @param r alias of a result with `lease_ms` and `claimed_at`
 * @param token the lease it was sent under; `d` is its row of `rollcall.due`
 */
export function claimedAt(r: string, token: string): string {
  return `case when d.token is distinct from ${token} then '-infinity'
             else coalesce(${r}.claimed_at, d.due_at - ${r}.lease_ms * interval '1 millisecond', '-infinity') end`;
}
