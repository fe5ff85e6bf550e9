import type pg from 'pg';
import type { RowOperation } from '../../../src/core/mapping.ts';
import { eventMapFunction } from '../../../src/sql/compile/events.ts';
import { eventColumns } from '../../../src/sql/compile/event-columns.ts';
import { capture } from '../../../src/sql/functions/capture.ts';
import { events } from '../../../src/sql/functions/events.ts';
import { mapping } from '../../../src/sql/functions/mapping.ts';
import { sources } from '../../../src/sql/functions/sources.ts';
import { state } from '../../../src/sql/migrations/0001-state.ts';
import { log } from '../../../src/sql/migrations/0002-log.ts';
import { sweepState } from '../../../src/sql/migrations/0006-sweep.ts';
import type { EventSource, EventType, RowLink, SourceColumn, SourceTable } from '../../../src/sql/source.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

/** A database with the tables and functions of events, and nothing else of Rollcall. */
export interface Events {
  readonly db: TestDatabase;
  /** As the superuser: its column types come parsed, big ones as text. */
  readonly app: pg.Client;
  table(name: string, schema?: string): Promise<SourceTable>;
  /** Installs a source under its table's name. */
  install(source: EventSource): Promise<void>;
  /** Captured rows in the order of an SQL condition, as the trigger would take them. */
  captured(source: EventSource, options?: CaptureOptions): Promise<unknown[]>;
  /** What the generated function makes of captured rows. */
  map(source: EventSource, rows: readonly unknown[]): Promise<MappedEvent[]>;
  /** Puts rows into the log table and reads them as `fold` would, in the order given. */
  read(changes: readonly Change[]): Promise<ReadEvent[]>;
  write(events: readonly ReadEvent[], ready?: boolean): Promise<void>;
}

interface CaptureOptions {
  readonly operation?: RowOperation;
  readonly where?: string;
  readonly old?: Readonly<Record<string, unknown>>;
  readonly at?: string;
}

interface MappedEvent {
  readonly place: number;
  readonly key: string | null;
  readonly name: string;
  readonly type_no: number;
  readonly verdict: string;
  /** As text: a parsed number would be rounded. */
  readonly properties: string | null;
  readonly happened_at: string;
  readonly message: string | null;
}

interface Change {
  readonly log: number;
  readonly xid?: number;
  readonly source: string;
  readonly events: readonly unknown[];
}

export interface ReadEvent {
  readonly id: string;
  readonly source: string;
  readonly key: string | null;
  readonly name: string;
  readonly properties: string | null;
  readonly happened_at: string;
  readonly code: string | null;
  readonly message: string | null;
}

export async function eventsDatabase(): Promise<Events> {
  const db = await createDatabase();
  const { app } = db;
  await db.sql.transaction((tx) =>
    tx.script(
      ['create schema rollcall', state, log, sweepState, capture, mapping, sources, events, events].join(';\n'),
    ),
  );
  const on: Events = {
    db,
    app,
    table: (name, schema = 'public') => readTable(app, schema, name),
    async install(source) {
      const { name, schema, table } = source.table;
      await db.sql.transaction(async (tx) => {
        await tx.script(eventMapFunction(`events_of_${table}`.slice(0, 63), source));
        await tx.query(
          `insert into rollcall.sources (name, relation) values ($1, format('%I.%I', $2::text, $3::text)) on conflict do nothing`,
          [name, schema, table],
        );
        await tx.query(`insert into rollcall.event_maps values ($1, $2) on conflict do nothing`, [
          name,
          `events_of_${table}`.slice(0, 63),
        ]);
      });
    },
    async captured(source, { operation = 'insert', where = 'true', old, at } = {}) {
      const { schema, table, primaryKey } = source.table;
      const key =
        primaryKey.length === 1
          ? `t.${ident(primaryKey[0]!.name)}::text`
          : `jsonb_build_array(${primaryKey.map((c) => `t.${ident(c.name)}`).join(', ')})::text`;
      const { rows } = await app.query(
        `select (jsonb_build_object('o', $1::text, 'k', ${key}, 't', coalesce($2::timestamptz, clock_timestamp()),
                  'r', coalesce((select jsonb_object_agg(e.key, e.value) from jsonb_each(to_jsonb(t)) e where e.key = any($3)), '{}'))
                  || case when $4::jsonb is null then '{}' else jsonb_build_object('p',
                    (select jsonb_object_agg(e.key, e.value) from jsonb_each(to_jsonb(t) || $4) e where e.key = any($3))) end)::text as event
           from ${ident(schema)}.${ident(table)} t where ${where} order by 1`,
        [operation, at ?? null, eventColumns(source), old === undefined ? null : JSON.stringify(old)],
      );
      return rows.map((row) => row.event as string);
    },
    async map(source, captured) {
      const name = `events_of_${source.table.table}`.slice(0, 63);
      const rows = await db.sql.query<{ event: MappedEvent }>(
        `select to_jsonb(m) || jsonb_build_object('properties', m.properties::text) as event
           from unnest(rollcall.map_events($1, $2::jsonb[], 1)) m order by m.place, m.type_no`,
        [name, captured.map(asJson)],
      );
      return rows.map((row) => row.event);
    },
    async read(changes) {
      const result = await db.sql.query<{ event: ReadEvent }>(
        `select to_jsonb(e) - 'n' || jsonb_build_object('properties', e.properties::text) as event
           from unnest(rollcall.read_events((
             select array_agg(row(c.event ->> 'log', c.event ->> 'xid', c.event ->> 'source', array(
               select x.event from jsonb_array_elements(c.event -> 'events') with ordinality as x(event, n) order by x.n))::rollcall.change order by c.n)
               from jsonb_array_elements($1::jsonb) with ordinality as c(event, n)))) with ordinality as e(id, source, key, name, properties, happened_at, code, message, n)
          order by e.n`,
        [`[${changes.map(changeJson).join(',')}]`],
      );
      return result.map((row) => row.event);
    },
    async write(list, ready = true) {
      await db.sql.query(
        `select rollcall.write_events((
           select array_agg(row(e.event ->> 'id', e.event ->> 'source', e.event ->> 'key', e.event ->> 'name', (e.event ->> 'properties')::jsonb,
                    e.event ->> 'happened_at', e.event ->> 'code', e.event ->> 'message')::rollcall.read_event order by e.n)
             from jsonb_array_elements($1::jsonb) with ordinality as e(event, n)), $2)`,
        [JSON.stringify(list), ready],
      );
    },
  };
  return on;
}

const asJson = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function changeJson({ log, xid = 1000, source, events: list }: Change): string {
  return `{"log":${log},"xid":${xid},"source":${JSON.stringify(source)},"events":[${list.map(asJson).join(',')}]}`;
}

export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A source of one event for each insert, with properties named after its columns unless `more` says otherwise. */
export function eventSource(table: SourceTable, link: RowLink, ...types: readonly Partial<EventType>[]): EventSource {
  return {
    table,
    link,
    types: types.map((type) => ({
      name: 'happened',
      operations: ['insert'],
      condition: undefined,
      when: undefined,
      properties: [],
      notWithInsert: false,
      ...type,
    })),
    expressions: new Map(
      types.flatMap((type) => [
        ...[type.when?.expression, type.condition].flatMap((text) =>
          text === undefined ? [] : [[text, expression(table, text)] as const],
        ),
        ...(type.properties ?? []).flatMap((p) =>
          p.source.kind === 'sql' ? [[p.source.expression, expression(table, p.source.expression)] as const] : [],
        ),
      ]),
    ),
  };
}

/** What an inspection would say: here every column whose name is in the text, or all when the whole row is. */
function expression(table: SourceTable, text: string): { type: 'text'; columns: string[]; timeDependent: false } {
  const known = [...table.columns.keys(), 'user_metadata', 'app_metadata'];
  const whole = text.includes(`to_jsonb(${table.table})`);
  return { type: 'text', columns: known.filter((c) => whole || text.includes(c)), timeDependent: false };
}

export function condition(text: string): { expression: string; line: number; column: number } {
  return { expression: text, line: 1, column: 1 };
}

export function column(table: SourceTable, name: string): SourceColumn {
  const found = table.columns.get(name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
}

async function readTable(app: pg.Client, schema: string, table: string): Promise<SourceTable> {
  const { rows } = await app.query(
    `with recursive base(name, n, oid, mod) as (
       select a.attname::text, a.attnum, a.atttypid, a.atttypmod from pg_attribute a
        where a.attrelid = format('%I.%I', $1::text, $2::text)::regclass and a.attnum > 0 and not a.attisdropped
       union all select b.name, b.n, t.typbasetype, t.typtypmod from base b join pg_type t on t.oid = b.oid and t.typtype = 'd')
     select b.name, format_type(b.oid, b.mod) as "sqlType",
            case when t.typname in ('json', 'jsonb') or t.typcategory in ('A', 'C') then 'json' when t.typname = 'bool' then 'boolean'
                 when t.typname in ('int2', 'int4', 'int8') then 'integer' when t.typname in ('float4', 'float8', 'numeric') then 'float'
                 when t.typname = 'date' then 'date' when t.typname in ('timestamp', 'timestamptz') then 'timestamp' else 'text' end as type,
            exists (select from pg_index i where i.indrelid = format('%I.%I', $1::text, $2::text)::regclass and i.indisprimary
                     and b.n = any(i.indkey)) as key
       from base b join pg_type t on t.oid = b.oid and t.typtype <> 'd' order by b.n`,
    [schema, table],
  );
  const columns: SourceColumn[] = rows.map(({ name, sqlType, type }) => ({ name, sqlType, type }));
  return {
    schema,
    table,
    name: `${schema}.${table}`,
    kind: 'table',
    columns: new Map(columns.map((c) => [c.name, c])),
    primaryKey: rows.filter((r) => r.key).map((r) => columns.find((c) => c.name === r.name)!),
  };
}
