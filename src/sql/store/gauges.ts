import type { Gauges } from '../../core/gauges.ts';
import { notInstalled } from '../../engine/fatal.ts';
import type { Queryable } from '../port.ts';

/**
 * How things stand in the database now.
 * @throws RollcallError `RC_NOT_INSTALLED` when there is no install
 */
export async function readGauges(sql: Queryable): Promise<Gauges> {
  const [row] = await sql.query<{ gauges: Gauges }>('select rollcall.gauges() as gauges');
  if (row === undefined) throw notInstalled();
  return row.gauges;
}
