import type { SystemEventType } from '../../../src/core/mapping.ts';
import type { EventSource, EventType } from '../../../src/sql/source.ts';
import type { TestDatabase } from '../../support/database.ts';
import { inspect, systemEvent } from './inspect-support.ts';

/** The one source of these events. */
export async function source(db: TestDatabase, ...types: SystemEventType[]): Promise<EventSource> {
  const { events: found } = await inspect(db, { systemEvents: types.map((type) => systemEvent(type)) });
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error('not one source');
  return first;
}

/** Which events a change of one row is: each case's condition, asked of Postgres. */
export async function happened(
  db: TestDatabase,
  { table, types }: EventSource,
  operation: EventType['operations'][number],
  row: Record<string, unknown>,
  old: Record<string, unknown> = {},
): Promise<string[]> {
  const alias = table.table === 'users' ? 'users' : 'objects';
  const record = `jsonb_populate_record(null::${table.schema}.${table.table}, $N::jsonb)`;
  const names: string[] = [];
  for (const type of types) {
    if (!type.operations.includes(operation)) continue;
    const { rows } = await db.app.query(
      `select (${type.condition ?? 'true'}) as yes from ${record.replace('N', '1')} as ${alias}, ${record.replace('N', '2')} as old`,
      [JSON.stringify(row), JSON.stringify(operation === 'update' ? { ...row, ...old } : {})],
    );
    if (rows[0]?.yes === true) names.push(type.name);
  }
  return names;
}
