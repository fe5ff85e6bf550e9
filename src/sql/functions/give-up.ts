/** So few attempts are not enough, however long they took: one that was tried twice in four days was hardly tried. */
const LEAST_TRIES = 5;

/**
 * Whether something is given up with the failure that is being settled: it has failed for its whole window. As SQL.
 * @param row alias of what has `tries` and `failing_since`, before this failure
 * @param windowMs null: never
 * @param clock what `rollcall.trying_clock` says
 */
export function givenUp(row: string, windowMs: string, clock: string): string {
  return `coalesce(${row}.tries + 1 >= ${LEAST_TRIES} and ${row}.failing_since <= ${clock} - ${windowMs} * interval '1 millisecond', false)`;
}

/** What is kept of the last failure: its code and the destination's words. As SQL. */
export function lastWords(code: string, message: string): string {
  return `left(coalesce(${code} || ': ', '') || coalesce(${message}, ''), 500)`;
}
