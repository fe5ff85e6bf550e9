import type { ErasedContact, ErasureStore } from '../../engine/erasure-ports.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { retryConflict } from './retry-conflict.ts';

const SAME_INSTALL = '(select rollcall.check_install($1, $2, $3) offset 0) as install';

/** Finished in one transaction: each takes some reading of whole tables. */
const AT_ONCE = 20;

/** Erasures over Postgres. A copy of the database erases nobody: see `check_install`. */
export function erasureStore(
  sql: Queryable,
  { configHash, projectRef, environment, erasureKey }: Identity,
): ErasureStore {
  const install = [configHash, projectRef, environment];
  return {
    async take(destination, reads, holdMs) {
      const [row] = await sql.query<{ contact: string | null; places: ErasedContact['places'] | null }>(
        `select t.* from ${SAME_INSTALL} cross join lateral rollcall.take_erased($4, $5, $6::bigint * interval '1 millisecond') t`,
        [...install, destination, reads, Math.round(holdMs)],
      );
      return row?.contact == null ? undefined : { contactId: row.contact, places: row.places ?? [] };
    },
    async note(destination, contactId, found) {
      await retryConflict(() =>
        sql.query('select rollcall.note_erased($1, $2, $3)', [
          destination,
          contactId,
          found === undefined ? null : JSON.stringify(found),
        ]),
      );
    },
    async again(destination, contactId, waitMs) {
      await sql.query(`select rollcall.look_again($1, $2, $3::bigint * interval '1 millisecond')`, [
        destination,
        contactId,
        Math.round(waitMs),
      ]);
    },
    async finish() {
      const [row] = await retryConflict(() =>
        sql.query<{ finished: string; open: number }>(
          `select array_to_string(f.finished, ',') as finished, f.open
             from ${SAME_INSTALL}
             cross join lateral rollcall.finish_erasures(case when rollcall.with_key('', $4) = '' then ${AT_ONCE} end) f`,
          [...install, erasureKey ?? null],
        ),
      );
      return { finished: (row?.finished ?? '').split(',').filter((id) => id !== ''), open: row?.open ?? 0 };
    },
  };
}
