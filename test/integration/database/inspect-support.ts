import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config/types.ts';
import { RollcallError } from '../../../src/core/errors.ts';
import type {
  AttributeMapping,
  ContactTable,
  EventTable,
  RelatedRows,
  SystemEvent,
  SystemEventType,
  TableName,
} from '../../../src/core/mapping.ts';
import { inspectSources } from '../../../src/sql/inspect/sources.ts';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import type { RowLink, Sources } from '../../../src/sql/source.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../../support/database.ts';

const NO_WATCH = { baseTables: [], everyMs: undefined };

/** `table` or `schema.table`; names with a dot come as an object. */
export function named(name: string | TableName): TableName {
  if (typeof name !== 'string') return name;
  const [first = '', second] = name.split('.');
  return second === undefined ? { schema: 'public', table: first } : { schema: first, table: second };
}

/** A database in which the hosted role has every right on what the app makes. */
export async function project(setup = ''): Promise<TestDatabase> {
  const db = await createDatabase();
  await db.app.query(`alter default privileges grant all on tables to hosted;
    alter default privileges grant usage on schemas to hosted; ${setup}`);
  return db;
}

export function contacts(name: string | TableName, more: Partial<ContactTable> = {}): ContactTable {
  const path = `table_mapping.${typeof name === 'string' ? name : name.table}`;
  const empty = { link: undefined, email: undefined, attributes: [], where: undefined };
  return { table: named(name), ...empty, ...NO_WATCH, path, line: 7, column: 3, ...more };
}

export function events(name: string | TableName, more: Partial<EventTable> = {}): EventTable {
  const path = `table_mapping.${typeof name === 'string' ? name : name.table}`;
  const empty = { link: undefined, name: 'happened', properties: [], when: undefined };
  return { table: named(name), ...empty, operations: ['insert'], path, line: 8, column: 3, ...more };
}

export function systemEvent(type: SystemEventType, more: Partial<SystemEvent> = {}): SystemEvent {
  const path = `events.${type}`;
  return { type, name: type, properties: undefined, when: undefined, path, line: 9, column: 3, ...more };
}

export function aggregate(
  name: string,
  expression: string,
  from: string | TableName,
  more: Partial<RelatedRows> = {},
  options: Partial<AttributeMapping> & { readonly everyMs?: number } = {},
): AttributeMapping {
  const path = `user_mapping.attributes.${name}`;
  const rows: RelatedRows = {
    table: named(from),
    link: undefined,
    where: undefined,
    ...NO_WATCH,
    path: `${path}.from`,
    line: 10,
    column: 5,
    ...more,
  };
  const { everyMs, ...rest } = options;
  return attribute(name, { kind: 'aggregate', expression, from: rows, everyMs }, { path, line: 10, ...rest });
}

/** An attribute that is an SQL expression. */
export function sql(name: string, expression: string, everyMs?: number): AttributeMapping {
  return attribute(name, { kind: 'sql', expression, everyMs });
}

/** A config whose users have these attributes. */
export function withAttributes(...attributes: AttributeMapping[]): Pick<Config, 'userMapping'> {
  return { userMapping: { ...testConfig().userMapping, attributes } };
}

export function inspect(db: TestDatabase, more: Partial<Config>, by: Sql = db.sql): Promise<Sources> {
  return by.transaction((tx) => inspectSources(tx, testConfig(more)));
}

/** The error that the inspection ends with, as far as a person reads it. */
export async function refusal(
  db: TestDatabase,
  more: Partial<Config>,
  by: Sql = db.sql,
): Promise<{ code: string; message: string; hint: string; path: string | undefined; line: number | undefined }> {
  try {
    await inspect(db, more, by);
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const { code, message, hint = '', place } = error;
    return { code, message, hint, path: place?.path, line: place?.line };
  }
  throw new Error('the inspection let it pass');
}

/** A link as short text: `user:user_id email:mail`, `via:customer_id->public.customers.id(email:mail)`. */
export function linkText(link: RowLink | undefined): string {
  if (link === undefined) return 'none';
  const parts = [
    ...(link.user === undefined ? [] : [`user:${link.user.name}`]),
    ...(link.email === undefined ? [] : [`email:${link.email.name}`]),
  ];
  const { via } = link;
  if (via !== undefined) {
    parts.push(`via:${via.column.name}->${via.target.name}.${via.targetColumn.name}(${linkText(via.link)})`);
  }
  return parts.join(' ');
}

/** A role without any right but to look, gone when the test ends. */
export async function plainRole(db: TestDatabase): Promise<{ readonly name: string; readonly sql: Sql }> {
  const name = `plain_${randomUUID().slice(0, 8)}`;
  await db.app.query(`create role ${name} login password 'postgres' nobypassrls; grant usage on schema auth to ${name};
    grant select, trigger on auth.users to ${name}`);
  onCleanup(async () => {
    await db.app.query(`drop owned by ${name} cascade; drop role ${name}`);
  });
  const url = new URL(db.url);
  url.username = name;
  const own = openPg({ url: url.toString() });
  onCleanup(() => own.close());
  return { name, sql: own };
}
