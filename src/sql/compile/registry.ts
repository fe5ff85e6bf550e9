import type { Config } from '../../config/types.ts';
import { quoteLiteral, quoteTable, quoteTexts } from '../quote.ts';
import type { SourceTable, Sources } from '../source.ts';
import { isUsers } from './event-columns.ts';
import { linkColumns } from './link.ts';
import { aggregateColumns, contactColumns, type Part } from './parts.ts';
import type { Resolver } from './resolvers.ts';
import type { WalPlan } from './wal-plan.ts';

/** Rows of the tables in which the database keeps what was generated for it. All are replaced at each apply. */
export interface Registry {
  readonly parts: readonly (Part & { readonly page: string | undefined })[];
  readonly resolvers: readonly Resolver[];
  /** Source to the function that makes its events. */
  readonly eventMaps: ReadonlyMap<string, string>;
  /** Source of events to the columns that are captured. */
  readonly eventColumns: ReadonlyMap<string, readonly string[]>;
  /** Source to the tables whose triggers tell of it. */
  readonly triggers: ReadonlyMap<string, readonly { readonly table: string; readonly function: string }[]>;
  /** Source to how its rows are read from the WAL. */
  readonly wal: ReadonlyMap<string, WalPlan>;
}

/** Fills `rollcall.sources`, `parts`, `resolvers` and `event_maps`. */
export function registryScript(config: Config, sources: Sources, registry: Registry): string {
  const lines = [
    // Nothing of a paused source was folded: everything is compared once it is read again.
    `select rollcall.want_sweep('source_resumed', name) from rollcall.sources where pause_code is not null;`,
    // Functions are numbered anew.
    `delete from rollcall.given;`,
    `delete from rollcall.parts;`,
    `delete from rollcall.resolvers;`,
    `delete from rollcall.event_maps;`,
    `update rollcall.sources set enabled = false, triggers = '[]', wal = null, pause_code = null, pause_message = null, paused_at = null;`,
  ];
  for (const [name, source] of namedSources(config, sources, registry)) {
    const triggers = JSON.stringify(registry.triggers.get(name) ?? []);
    const plan = registry.wal.get(name);
    const wal = plan === undefined ? 'null' : quoteLiteral(JSON.stringify(plan));
    lines.push(`insert into rollcall.sources (name, relation, shape, triggers, wal)
  values (${quoteLiteral(name)}, ${quoteLiteral(source.relation)}, ${quoteLiteral(JSON.stringify(source.shape))}, ${quoteLiteral(triggers)}, ${wal})
  on conflict (name) do update set enabled = true, relation = excluded.relation, shape = excluded.shape, triggers = excluded.triggers,
    wal = excluded.wal;`);
  }
  for (const part of registry.parts) {
    lines.push(partRow(part));
  }
  for (const { source, name } of registry.resolvers)
    lines.push(
      `insert into rollcall.resolvers (source, function) values (${quoteLiteral(source)}, ${quoteLiteral(name)});`,
    );
  for (const [source, name] of registry.eventMaps)
    lines.push(
      `insert into rollcall.event_maps (source, function) values (${quoteLiteral(source)}, ${quoteLiteral(name)});`,
    );
  return lines.join('\n');
}

/** The row of `rollcall.parts` for one function. */
export function partRow(part: Registry['parts'][number]): string {
  return `insert into rollcall.parts (function, source, rank, attributes, page_function, makes_contacts, gives_consent)
  values (${quoteLiteral(part.name)}, ${quoteLiteral(part.source)}, ${part.rank}, ${quoteTexts(part.attributes)},
    ${part.page === undefined ? 'null' : quoteLiteral(part.page)}, ${part.makesContacts}, ${part.givesConsent});`;
}

/** Every table that is read, with the types of the columns that its SQL was made for. */
function namedSources(
  config: Config,
  sources: Sources,
  registry: Registry,
): Map<string, { relation: string; shape: Record<string, string> }> {
  const found = new Map<string, { relation: string; shape: Record<string, string> }>();
  const add = (table: SourceTable, columns: Iterable<string>): void => {
    const entry = found.get(table.name) ?? { relation: quoteTable(table), shape: {} };
    for (const name of columns) {
      const column = table.columns.get(name);
      if (column !== undefined) entry.shape[name] = column.domain ?? column.sqlType;
    }
    found.set(table.name, entry);
  };
  // Supabase's own columns are not compared: what does not fit any more raises when it is read.
  found.set('auth.users', { relation: 'auth.users', shape: {} });
  for (const source of sources.contacts) {
    add(source.table, [...contactColumns(source, config.consent), ...source.table.primaryKey.map((c) => c.name)]);
    for (const base of source.bases) add(base.table, linkColumns(base.link));
  }
  for (const source of sources.aggregates) {
    add(source.table, aggregateColumns(source));
    for (const base of source.bases) add(base.table, linkColumns(base.link));
    const { via } = source.link;
    if (via !== undefined) add(via.target, [via.targetColumn.name, ...linkColumns(via.link)]);
  }
  for (const { table } of sources.events) {
    if (!isUsers(table))
      add(table, [...(registry.eventColumns.get(table.name) ?? []), ...table.primaryKey.map((c) => c.name)]);
  }
  return found;
}
