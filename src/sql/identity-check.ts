import type { Queryable } from './port.ts';
import { sqlState } from './port.ts';

/**
 * What tells this database from the one the install was bound to, as the detail of RC002 lists it: `timeline`, `position`, ...;
 * `unbound` when it never was; undefined when it is the one.
 * @throws the driver's error for all else
 */
export async function differencesOf(sql: Queryable, ref: string, environment: string): Promise<string | undefined> {
  try {
    await sql.query('select rollcall.check_identity($1, $2)', [ref, environment]);
    return undefined;
  } catch (error) {
    if (sqlState(error) !== 'RC002') throw error;
    return (error as { detail?: string }).detail ?? '';
  }
}
