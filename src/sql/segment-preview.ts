import { applySegments } from '../config/apply-segments.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { type Segment, segmentAttribute } from '../core/segments.ts';
import { contactKey, EMAIL_KEY, keyUser, normalAddress } from './compile/link.ts';
import { newestFirst } from './compile/parts.ts';
import { peopleQuery } from './compile/users.ts';
import { inspectSources } from './inspect/sources.ts';
import type { Sql } from './port.ts';
import { sqlState } from './port.ts';
import { quoteIdent, quoteLiteral, quoteTable } from './quote.ts';
import type { ContactSource, RowLink, Sources, SourceTable } from './source.ts';

/** Who is in a segment. */
export interface SegmentMembers {
  readonly count: number;
  /** Addresses of the first of them. */
  readonly sample: readonly string[];
}

/**
 * Who a segment would have, read from the tables as they are: nothing needs to be installed, and nothing is changed. What a destination's
 * own `where` leaves out, and whoever opted out, is not looked at.
 * @param most addresses in the sample
 * @throws RollcallError what is wrong with the segment beside the database; `RC_SEGMENT_DATA` where a row does not fit its condition
 */
export async function previewSegment(
  sql: Sql,
  config: Config,
  segment: Segment,
  most: number,
): Promise<SegmentMembers> {
  const alone = onlySegment(config, segment);
  return sql.transaction(async (tx) => {
    const sources = await inspectSources(tx, alone);
    await tx.script(`set local search_path = ''; set local row_security = off; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';
      set local intervalstyle = 'iso_8601'; set local standard_conforming_strings = on; set local jit = off`);
    try {
      const [row] = await tx.query<{ count: string; sample: readonly string[] | null }>(
        membersQuery(alone, sources, segment),
        [most],
      );
      return { count: Number(row?.count ?? 0), sample: row?.sample ?? [] };
    } catch (error) {
      // Class 22: a value that the condition does not take.
      if (sqlState(error)?.startsWith('22') !== true || !(error instanceof Error)) throw error;
      throw new RollcallError(
        'RC_SEGMENT_DATA',
        'The condition fails for the value of some row, so that contact would be a dead letter.',
        {
          hint: 'Write it so that it holds for any value: for example compare numbers in JSON with `->`, or guard a cast with `case when`.',
          place: { file: config.file, path: segment.path, line: segment.where.line, column: segment.where.column },
        },
      );
    }
  });
}

/** A config of nothing but the rows that lead to contacts and one segment. */
function onlySegment(config: Config, segment: Segment): Config {
  const bare = {
    userMapping: { ...config.userMapping, attributes: [] },
    tables: config.tables.map((table) => ({ ...table, attributes: [] })),
    destinations: [],
  };
  const woven = applySegments(bare, [segment], () => true);
  return { ...config, ...woven, consent: undefined, eventTables: [], systemEvents: [], writeBacks: [] };
}

function membersQuery(config: Config, sources: Sources, { name, from, where }: Segment): string {
  const { userMapping: mapping, users } = config;
  const people = peopleQuery({ mapping, consent: undefined, users, source: sources.users });
  const attribute = quoteLiteral(segmentAttribute(name));
  const members =
    from.kind === 'users'
      ? `select p.address from people p where p.payload ? ${attribute}`
      : `select k.address from keys k where ${from.kind === 'contacts' ? 'k.guest or' : ''} k.address in (select p.address from people p)
         or k.address in (select g.address from guests g)`;
  const keys = from.kind === 'users' ? [] : [`keys as (${keysOf(rowsOf(sources, from.kind), where.expression)})`];
  return `with people as materialized (select x.* from (${people}) as x where x.verdict = 'ok'),
    guests as (${guests(sources.contacts)}),
    ${[...keys, ''].join(',\n    ')}
    members as (select distinct m.address from (${members}) as m where m.address is not null)
  select count(*)::text as count, (select array_agg(s.address order by s.address) from (select m.address from members m order by 1 limit $1) s) as sample
    from members`;
}

/** The rows that a segment over a table looks at. */
interface Rows {
  readonly table: SourceTable;
  readonly link: RowLink;
  /** What the mapping itself asks of a row. */
  readonly where: string | undefined;
  /** Whether the newest row of a contact counts alone. */
  readonly newest: boolean;
}

function rowsOf(sources: Sources, kind: 'contacts' | 'related'): Rows {
  const contact = sources.contacts.find(({ mapping }) => mapping.attributes.length > 0);
  if (kind === 'contacts' && contact !== undefined) {
    return { table: contact.table, link: contact.link, where: contact.mapping.where?.expression, newest: true };
  }
  const [related] = sources.aggregates;
  if (related === undefined) throw new TypeError('a segment over rows has no source');
  return { table: related.table, link: related.link, where: undefined, newest: false };
}

/** Addresses of the contacts that have a row for which the condition is true. */
function keysOf({ table, link, where, newest }: Rows, condition: string): string {
  const alias = quoteIdent(table.table);
  const { via } = link;
  const from =
    via === undefined
      ? `${quoteTable(table)} as rollcall_r`
      : `${quoteTable(table)} as rollcall_r join ${quoteTable(via.target)} as rollcall_v on rollcall_r.${quoteIdent(via.column.name)} = rollcall_v.${quoteIdent(via.targetColumn.name)}`;
  const key = contactKey(via?.link ?? link, via === undefined ? 'rollcall_r' : 'rollcall_v');
  const columns = [...table.columns.keys()].map((column) => `rollcall_r.${quoteIdent(column)}`).join(', ');
  const holds = (sql: string): string => `(select (${sql}\n) is true from (select ${columns}) as ${alias})`;
  const rows = `select ${newest ? `distinct on (rollcall_x.key)` : ''} rollcall_x.key, rollcall_h.holds
      from ${from} cross join lateral (select ${key} as key offset 0) as rollcall_x
      cross join lateral (select ${holds(condition)} as holds offset 0) as rollcall_h
     where rollcall_x.key is not null ${where === undefined ? '' : `and ${holds(where)}`}
     ${newest ? `order by ${['rollcall_x.key', ...newestFirst(table, 'rollcall_r')].join(', ')}` : ''}`;
  return `select case when x.key like '${EMAIL_KEY}%' then substr(x.key, ${EMAIL_KEY.length + 1}) else p.address end as address,
         x.key like '${EMAIL_KEY}%' as guest
    from (${rows}) as x left join people p on p.id = ${keyUser('x.key')} where x.holds`;
}

/** Addresses of whoever is a contact by a row of a table. */
function guests(contacts: readonly ContactSource[]): string {
  const found = contacts.flatMap(({ table, link, mapping }) => {
    if (link.email === undefined) return [];
    const where = mapping.where === undefined ? '' : ` where (${mapping.where.expression}\n) is true`;
    const address = normalAddress(`${quoteIdent(table.table)}.${quoteIdent(link.email.name)}::text`);
    return [`select ${address} as address from ${quoteTable(table)} as ${quoteIdent(table.table)}${where}`];
  });
  return found.length === 0 ? 'select null::text as address where false' : found.join(' union all ');
}
