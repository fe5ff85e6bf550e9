import type { Config } from '../config/types.ts';
import type { Gauges } from '../core/gauges.ts';
import { readingGauges } from '../sources/api/reading-gauges.ts';
import type { Queryable } from '../sql/port.ts';
import { readGauges } from '../sql/store/gauges.ts';

/**
 * How things stand now, also with reading by the API where the project is read so.
 * @throws RollcallError `RC_NOT_INSTALLED`
 */
export async function gaugesOf(sql: Queryable, { api }: Pick<Config, 'api'>): Promise<Gauges> {
  const found = await readGauges(sql);
  return api === undefined ? found : { ...found, reading: await readingGauges(sql, api) };
}
