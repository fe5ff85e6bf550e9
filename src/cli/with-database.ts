import type { Config } from '../config/types.ts';
import { openDatabase } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { databaseError } from './database-error.ts';

/**
 * Opens the database of a config for some work and closes it again.
 * @throws RollcallError also for what the database itself reports
 */
export async function withDatabase<T>(config: Config, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = await openDatabase(config);
  try {
    return await work(sql);
  } catch (error) {
    throw databaseError(error) ?? error;
  } finally {
    await sql.close();
  }
}
