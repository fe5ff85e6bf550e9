import type { Config } from '../config/types.ts';
import type { RollcallError } from '../core/errors.ts';
import { fatalError, notInstalled } from '../engine/fatal.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import type { StatusDocument } from './status-document.ts';

/** How things stand, and why a worker with this config would not start. */
export interface ReadStatus {
  readonly status: StatusDocument;
  readonly refusals: readonly RollcallError[];
}

/** @throws RollcallError `RC_NOT_INSTALLED`; the driver's error */
export async function readStatus(sql: Sql, config: Config): Promise<ReadStatus> {
  const [row] = await sql.query<{ status: StatusDocument }>('select rollcall.status() as status');
  if (row === undefined) {
    throw notInstalled();
  }
  const ref = refOf(config);
  const checks = await Promise.all([
    refusal(sql, 'select rollcall.check_identity($1, $2)', [ref, config.environment]),
    refusal(sql, 'select rollcall.check_config($1)', [config.hash]),
  ]);
  return { status: row.status, refusals: checks.filter((check) => check !== undefined) };
}

async function refusal(sql: Sql, text: string, values: readonly unknown[]): Promise<RollcallError | undefined> {
  try {
    await sql.query(text, values);
    return undefined;
  } catch (error) {
    const known = fatalError(error);
    if (known?.code === 'RC_NOT_BOUND' || known?.code === 'RC_CONFIG_NOT_APPLIED') return known;
    throw error;
  }
}
