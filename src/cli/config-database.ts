import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { checkReplication } from '../sources/wal/check.ts';
import { attributePlan } from '../sql/compile/attribute-plan.ts';
import { inspectSources } from '../sql/inspect/sources.ts';
import { openDatabase } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { databaseError } from './database-error.ts';
import type { Found } from './summary.ts';

/** What a database says to a config, or why it was not asked. */
export type DatabaseCheck =
  | { readonly checked: true; readonly found: Found }
  | {
      readonly checked: false;
      /** As a sentence without its full stop. */
      readonly reason: string;
    };

/** A check is no reason to wait long. In ms. */
const PATIENCE = { connectMs: 4_000, queryMs: 10_000 };

/**
 * Holds a config against its database, in one transaction that changes nothing.
 * @throws RollcallError what is wrong with the config: also a URL that is none, and a certificate that is not there
 */
export async function checkDatabase(config: Config): Promise<DatabaseCheck> {
  if (config.api !== undefined)
    return { checked: false, reason: 'the project is read by its API; `rollcall plan` reads it' };
  if (config.databaseUrl === undefined) return { checked: false, reason: 'no database URL is set' };
  try {
    const sql = await openDatabase(config, undefined, PATIENCE);
    try {
      if (config.capture === 'wal') await checkReplication(config);
      return { checked: true, found: await readFound(sql, config) };
    } finally {
      await sql.close();
    }
  } catch (error) {
    if (error instanceof RollcallError && !OUT_OF_REACH.has(error.code)) throw error;
    const known = databaseError(error);
    if (known === undefined) throw error;
    return { checked: false, reason: known.message.replace(/\.$/, '') };
  }
}

/**
 * Holds a config against its database, in one transaction that changes nothing.
 * @throws RollcallError what is wrong with the config; the driver's error
 */
export function readFound(sql: Sql, config: Config): Promise<Found> {
  return sql.transaction(async (tx) => {
    const sources = await inspectSources(tx, config);
    return { sources, attributes: attributePlan(config, sources) };
  });
}

/** What says nothing about the config. */
const OUT_OF_REACH: ReadonlySet<string> = new Set(['RC_DATABASE_UNREACHABLE', 'RC_DATABASE_TLS', 'RC_DATABASE_LOGIN']);
