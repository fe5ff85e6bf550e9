import { tableKey } from '../../config/table-name.ts';
import type { Config } from '../../config/types.ts';
import type { TableName } from '../../core/mapping.ts';

/** The tables of the project that a config reads: those of contacts and events, what they lead through, and those of aggregates. */
export function mirroredTables(config: Config): readonly TableName[] {
  const { tables, eventTables, consent, userMapping } = config;
  const attributes = [userMapping.attributes, ...tables.map((table) => table.attributes)].flat();
  const related = attributes.flatMap(({ source }) => (source.kind === 'aggregate' ? [source.from] : []));
  const links = [...tables, ...eventTables, ...related].flatMap(({ link }) =>
    link?.kind === 'table' ? [link.table] : [],
  );
  const all = [
    ...tables.map(({ table }) => table),
    ...eventTables.map(({ table }) => table),
    ...related.map(({ table }) => table),
    ...links,
    ...(consent?.kind === 'column' && consent.table !== undefined ? [consent.table] : []),
  ];
  return [...new Map(all.map((table) => [tableKey(table), { schema: table.schema, table: table.table }])).values()];
}

/** Whether anything is made of files. */
export function readsFiles(config: Config): boolean {
  return config.systemEvents.some(({ type }) => type.startsWith('storage.'));
}
