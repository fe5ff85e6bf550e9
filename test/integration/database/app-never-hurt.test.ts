import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { capture } from '../../../src/sql/functions/capture.ts';
import { createOwnDatabase } from '../../support/own-cluster.ts';
import { withTables } from '../../support/tables.ts';
import { logs } from './capture-support.ts';
import { type Installed, installed } from './support.ts';

/** A table that the app writes to all day, as the role that does so. */
interface Kind {
  readonly name: string;
  readonly role: string;
  readonly insert: string;
  readonly edit: string;
  readonly remove: string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'auth.users',
    role: 'supabase_auth_admin',
    insert: 'insert into auth.users (id, email) values (gen_random_uuid(), $1) returning id',
    edit: `update auth.users set raw_user_meta_data = '{"full_name":"After"}' where id = $1`,
    remove: 'delete from auth.users where id = $1',
  },
  ...[
    ['a table of contacts', 'customers'],
    ['a table of events', 'orders'],
    ['a table of events that are counted as well', 'purchases'],
  ].map(([name = '', table = '']) => ({
    name,
    role: 'shop',
    insert: `insert into public.${table} (email) values ($1) returning id`,
    edit: `update public.${table} set name = 'After' where id = $1`,
    remove: `delete from public.${table} where id = $1`,
  })),
];

const world = (db?: Installed['db']): Promise<Installed> =>
  withTables({
    ...(db === undefined ? {} : { db }),
    ddl: `do $$ begin if not exists (select from pg_roles where rolname = 'shop') then create role shop login password 'postgres'; end if; end $$;
      ${['customers', 'orders', 'purchases'].map((table) => `create table public.${table} (id int generated always as identity primary key, email text, name text, nick text);`).join(' ')}
      grant all on all tables in schema public to shop; grant usage on schema public to shop; grant all on all sequences in schema public to shop`,
    connector: `user_mapping:
  unconfirmed: true
  email: email
  user_metadata.full_name: FIRSTNAME
  where: "app_metadata is null"
  attributes: { PURCHASES: { sql: "count(*)", from: purchases } }
table_mapping:
  customers: { email: email, name: FIRSTNAME, nick: NICK }
  orders: { sync_as: events, event_name: ordered, operations: [insert, update, delete], properties: { name: name } }
  purchases: { sync_as: events, event_name: bought, operations: [insert, update, delete], properties: { name: name } }`,
  });

/** What the app does to a table. */
async function dayInTheLife(client: pg.Client, kind: Kind, name: string): Promise<{ id: string; slowestMs: number }> {
  const times: number[] = [];
  const timed = async (text: string, value: string): Promise<string> => {
    const started = performance.now();
    const { rows } = await client.query(text, [value]);
    times.push(performance.now() - started);
    return String(rows[0]?.id);
  };
  const id = await timed(kind.insert, name);
  await timed(kind.edit, id);
  await timed(kind.remove, await timed(kind.insert, `x${name}`));
  return { id, slowestMs: Math.max(...times) };
}

/** A connection as another role, which has the tests' one password. */
async function as(one: Installed, role: string): Promise<pg.Client> {
  const url = new URL(one.db.url);
  url.username = role;
  return one.db.connect(url.toString());
}

/** What the sweep finds of what `dayInTheLife` did. Events are not found: they were counted. */
async function found(one: Installed, kind: Kind, id: string, name: string): Promise<boolean> {
  const key = kind.name === 'auth.users' ? id : kind.name === 'a table of contacts' ? `email:${name}` : undefined;
  if (key === undefined) return true;
  const desired = await one.desired(key);
  return (
    desired?.action === 'upsert' && desired.address === name && desired.payload['FIRSTNAME'] === 'After' && desired.due
  );
}

/** A statement waits for at most two locks of 20 ms; the rest is room for a slow machine. */
const BOUND_MS = 10_000;

/** With a worker that waits to be told, every write goes through the inner function. */
const ARMED = `select setval('rollcall.armed_until', 9999999999);`;
const BROKEN_CAPTURE = `${ARMED} create or replace function rollcall.capture(p_keys text[], p_source text default null, p_events jsonb[] default null) returns void language plpgsql as`;
const TABLES = ['auth.users', 'public.customers', 'public.orders', 'public.purchases'];
const LOGS = 'rollcall.changes_0, rollcall.changes_1, rollcall.changes_2';

/** Whether each write is counted as one that was not captured; undefined where that cannot be, or nothing was missed. */
const breakages: { name: string; sql: string; counted?: boolean; mend?: string }[] = [
  {
    name: 'a constraint on the log raises, as a full disk would',
    sql: 'alter table rollcall.changes_0 add constraint full_disk check (false) not valid',
    mend: 'alter table rollcall.changes_0 drop constraint full_disk',
  },
  {
    name: 'the inner capture function raises',
    sql: `${BROKEN_CAPTURE} 'begin raise exception ''broken''; end'`,
    mend: capture,
  },
  {
    name: 'the inner capture function fails an assertion',
    sql: `${BROKEN_CAPTURE} 'begin assert false; end'`,
    mend: capture,
  },
  {
    name: 'the inner capture function never ends',
    sql: `${BROKEN_CAPTURE} 'begin perform rollcall.capture(p_keys, p_source, p_events); end'`,
  },
  {
    name: 'the inner capture function is gone',
    sql: `${ARMED} drop function rollcall.capture`,
    mend: capture,
  },
  {
    name: 'the owner lost its right to write the log',
    sql: `revoke all on ${LOGS} from hosted`,
    mend: `grant all on ${LOGS} to hosted`,
  },
  {
    name: 'the owner lost all its rights',
    sql: `revoke all on schema rollcall from hosted; revoke all on all tables in schema rollcall from hosted;
      revoke all on all sequences in schema rollcall from hosted; revoke all on all routines in schema rollcall from hosted`,
    counted: false,
  },
  {
    name: 'the sequence of the log is used up',
    sql: `select setval('rollcall.changes_id', 9223372036854775807)`,
    mend: `select setval('rollcall.changes_id', 1000000)`,
  },
  { name: 'the sequence that says which log is current is gone', sql: 'drop sequence rollcall.current_log cascade' },
  { name: 'the flag of the idle worker is gone', sql: 'drop sequence rollcall.armed_until cascade' },
  { name: 'one log table is gone', sql: 'drop table rollcall.changes_0' },
  { name: 'all log tables are gone', sql: `drop table ${LOGS}` },
  {
    name: 'every mapped column but the links is gone',
    sql: `alter table auth.users drop column raw_app_meta_data; alter table public.customers drop column nick;
      alter table public.orders drop column nick; alter table public.purchases drop column nick`,
    counted: false,
  },
  {
    name: 'the counter of failures is gone too',
    sql: 'drop table rollcall.changes_0; drop sequence rollcall.uncaptured',
    counted: false,
  },
  {
    name: 'the triggers are disabled',
    sql: TABLES.map((table) => `alter table ${table} disable trigger user;`).join(' '),
    counted: false,
  },
  {
    name: 'half of the functions are gone',
    sql: 'drop function rollcall.within, rollcall.raw_events, rollcall.key_columns',
    counted: false,
  },
  { name: 'the schema is dropped', sql: 'drop schema rollcall cascade', counted: false },
];

for (const { name, sql, counted = true, mend } of breakages) {
  test(`the app writes to users, contacts and events while ${name}`, async () => {
    const one = await world();
    for (const kind of KINDS) await dayInTheLife(await as(one, kind.role), kind, `${kind.name.length}before@x.test`);
    await one.foldAll();
    await one.db.app.query(sql);
    const ids: string[] = [];
    for (const kind of KINDS) {
      const before = counted ? await one.uncaptured() : 0;
      // A new session: nothing is cached in it, no plan and no value of a sequence.
      const client = await as(one, kind.role);
      ids.push((await dayInTheLife(client, kind, `${kind.name.length}during@x.test`)).id);
      if (counted)
        expect({ kind: kind.name, more: (await one.uncaptured()) - before >= 4 }).toEqual({
          kind: kind.name,
          more: true,
        });
      // In one transaction, too, in which an earlier statement failed to be captured.
      await client.query('begin isolation level serializable');
      const { rows } = await client.query(kind.insert, [`${kind.name.length}again@x.test`]);
      await client.query(kind.edit, [rows[0].id]);
      await client.query('commit');
      await client.end();
    }
    if (mend === undefined) return;
    await one.db.app.query(mend);
    await one.sweepNow();
    for (const [n, kind] of KINDS.entries())
      expect({
        kind: kind.name,
        found: await found(one, kind, ids[n] ?? '', `${kind.name.length}during@x.test`),
      }).toEqual({ kind: kind.name, found: true });
    expect((await logs(one, `insert into public.orders (email) values ('late@x.test')`)).events).toHaveLength(1);
  });
}

test.skipIf(process.platform === 'win32')(
  'the app writes while the files of the log can not be written to, as on a read-only tablespace',
  async () => {
    // What Postgres says is the same (EACCES for EROFS). No setting does this: default_transaction_read_only is about the app's
    // own transaction, which would fail without us as well.
    const db = await createOwnDatabase({ fsync: 'off' });
    const one = await world(db);
    const { rows } = await db.app.query(
      `select pg_relation_filepath(c.oid) as path from pg_class c where c.oid in (select unnest(array[t.oid, t.reltoastrelid]) from pg_class t where t.relname ~ '^changes_[0-9]$')
        or c.oid in (select indexrelid from pg_index i join pg_class t on t.oid = i.indrelid where t.relname ~ '^changes_[0-9]$')`,
    );
    const files = rows.map((row) => join(db.cluster.directory, row.path as string));
    expect(files.length).toBe(9);
    // Nothing is left to be written to them.
    await db.app.query('checkpoint');
    for (const file of files) await chmod(file, 0o400);
    try {
      for (const kind of KINDS) {
        const before = await one.uncaptured();
        const name = `${kind.name.length}during@x.test`;
        const { id } = await dayInTheLife(await as(one, kind.role), kind, name);
        expect(await one.uncaptured()).toBeGreaterThanOrEqual(before + 4);
        await one.sweepNow();
        expect(await found(one, kind, id, name)).toBe(true);
      }
    } finally {
      for (const file of files) await chmod(file, 0o600);
    }
  },
);

test('the waits are bounded while every table of ours is locked, with a statement timeout of 50 ms too', async () => {
  const one = await world();
  // Sessions that have been at work: what they compile and plan first is no wait.
  const clients = await Promise.all(KINDS.map((kind) => as(one, kind.role)));
  for (const [n, kind] of KINDS.entries()) await dayInTheLife(clients[n]!, kind, `${kind.name.length}early@x.test`);
  await one.foldAll();
  const locker = await one.db.connect();
  await locker.query('begin');
  await locker.query(`lock table ${LOGS}, rollcall.contacts, rollcall.desired, rollcall.due, rollcall.install, rollcall.fold_position,
    rollcall.sources, rollcall.events, rollcall.held_events in access exclusive mode`);
  const ids: string[] = [];
  for (const [n, kind] of KINDS.entries()) {
    const client = clients[n]!;
    const before = await one.uncaptured();
    const first = await dayInTheLife(client, kind, `${kind.name.length}a@x.test`);
    expect(first.slowestMs).toBeLessThan(BOUND_MS);
    await client.query(`set statement_timeout = '50ms'`);
    const second = await dayInTheLife(client, kind, `${kind.name.length}b@x.test`);
    ids.push(first.id, second.id);
    expect({ kind: kind.name, counted: (await one.uncaptured()) - before }).toEqual({
      kind: kind.name,
      counted: 2 * 4,
    });
  }
  await locker.query('rollback');
  await one.sweepNow();
  for (const [n, kind] of KINDS.entries()) {
    expect(await found(one, kind, ids[2 * n] ?? '', `${kind.name.length}a@x.test`)).toBe(true);
    expect(await found(one, kind, ids[2 * n + 1] ?? '', `${kind.name.length}b@x.test`)).toBe(true);
  }
});

test('a long lock of one table costs a statement one wait, and a row lock of ours costs none', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const locker = await one.db.connect();
  await locker.query('begin');
  await locker.query(`select from rollcall.contacts for update`);
  await locker.query(`select from rollcall.desired for update`);
  await locker.query(`select from rollcall.due for update`);
  await one.db.app.query('begin');
  await one.db.app.query(`set local statement_timeout = '1s'`);
  await one.db.app.query(`update auth.users set email = 'b@x.y' where id = $1`, [id]);
  await one.db.app.query('commit');
  await locker.query('rollback');
  expect(await one.uncaptured()).toBe(1);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
});
test('a capture that failed in a transaction still open is swept again once it has ended', async () => {
  // A server of its own: transactions of other databases would count as open too.
  const one = await installed({}, await createOwnDatabase({ autovacuum: 'off' }));
  await one.sweepNow();
  const seen = async (): Promise<boolean> => {
    const ticket = await one.store.beginSweep(3_600_000, false);
    if (ticket !== undefined) {
      await one.store.sweepPage(null, 1_000);
      await one.store.endSweep(ticket);
    }
    return ticket !== undefined;
  };
  await expect.poll(seen, { timeout: 20_000 }).toBe(false);
  await one.db.app.query(`alter table rollcall.changes_0 add constraint full_disk check (false) not valid`);
  const slow = await one.db.connect();
  await slow.query('begin');
  await slow.query(`insert into auth.users (id, email) values ('00000000-0000-0000-0000-000000000001', 'slow@x.y')`);
  expect(await seen(), 'the failure is counted at once').toBe(true);
  expect(await one.desired('00000000-0000-0000-0000-000000000001')).toBeUndefined();
  expect(await seen(), 'nothing new can be found while it is open').toBe(false);
  await slow.query('commit');
  expect(await seen(), 'it has ended').toBe(true);
  expect(await one.desired('00000000-0000-0000-0000-000000000001')).toMatchObject({ address: 'slow@x.y' });
  expect(await seen()).toBe(false);
});

test('what the trigger could not see while it was disabled or missing is found by the next sweep', async () => {
  const one = await installed();
  const gone = await one.insert('gone@x.y');
  const moved = await one.insert('old@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('alter table auth.users disable trigger user');
  const fresh = await one.insert('fresh@x.y');
  await one.db.app.query('delete from auth.users where id = $1', [gone]);
  await one.db.app.query(`update auth.users set email = 'new@x.y' where id = $1`, [moved]);
  expect(await one.logged()).toHaveLength(2);
  await one.sweepNow();
  expect(await one.desired(fresh)).toMatchObject({ action: 'upsert', due: true });
  expect(await one.desired(moved)).toMatchObject({ address: 'new@x.y', remote_address: 'old@x.y', due: true });
  expect(await one.desired(gone)).toMatchObject({ action: 'delete', reason: 'gone', due: true });
});
