import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { column, condition, eventSource, eventsDatabase } from './events-support.ts';

const USER = '6f1c1bd0-0000-4000-8000-000000000001';

test('a row leads to its contact by user, by address, or by the row of another table as it is now', async () => {
  const on = await eventsDatabase();
  await on.app.query(`
    create table public.customers (id bigint primary key, user_id text, email text);
    create table public.orders (id int primary key, customer_id bigint, user_id uuid, email text);
    grant select on public.customers to hosted`);
  const customers = await on.table('customers');
  const orders = await on.table('orders');
  const own = eventSource(orders, { user: column(orders, 'user_id'), email: column(orders, 'email') }, {});
  const via = eventSource(
    orders,
    {
      via: {
        column: column(orders, 'customer_id'),
        target: customers,
        targetColumn: column(customers, 'id'),
        link: { user: column(customers, 'user_id'), email: column(customers, 'email') },
      },
    },
    {},
  );
  await on.app.query(
    `insert into public.customers values (1, upper($1), 'no@x.y'), (2, 'no uuid', E' Ann@X.y\\t'), (3, null, repeat('a', 400)), (4, null, '')`,
    [USER],
  );
  await on.app.query(
    `insert into public.orders values (1, 1, $1, 'a@x.y'), (2, 2, null, ' B@X.Y '), (3, 3, null, null), (4, 4, null, ''), (5, 5, null, null), (6, null, null, null)`,
    [USER],
  );
  await on.install(own);
  const keys = async (source: typeof own): Promise<unknown[]> =>
    (await on.map(source, await on.captured(source))).map((e) => e.key);
  expect(await keys(own)).toEqual([USER, 'email:b@x.y', null, null, null, null]);
  await on.install(via);
  const captured = await on.captured(via);
  expect((await on.map(via, captured)).map((e) => e.key)).toEqual([USER, 'email:ann@x.y', null, null, null, null]);
  await on.app.query(
    `update public.customers set user_id = null, email = 'moved@x.y' where id = 1; delete from public.customers where id = 2`,
  );
  expect((await on.map(via, captured)).map((e) => e.key)).toEqual(['email:moved@x.y', null, null, null, null, null]);
});

test('users are seen under the names of the config, by our own conditions under those of the database', async () => {
  const on = await eventsDatabase();
  const users = await on.table('users', 'auth');
  const source = eventSource(
    users,
    { user: column(users, 'id') },
    { name: 'signed_up', properties: [attribute('NAME', 'user_metadata.name'), attribute('MAIL', 'email')] },
    {
      name: 'updated',
      operations: ['update'],
      condition: `row(users.raw_user_meta_data) is distinct from row(old.raw_user_meta_data)`,
      when: condition(`user_metadata ->> 'name' <> coalesce(old.user_metadata ->> 'name', '')`),
      properties: [
        attribute('WHOLE', {
          kind: 'sql',
          expression: `array(select k from jsonb_each_text(to_jsonb(users)) as x(k, v) where v is not null and k <> 'is_anonymous' order by k)`,
        }),
      ],
      notWithInsert: true,
    },
  );
  await on.install(source);
  await on.app.query(
    `insert into auth.users (id, email, encrypted_password, raw_user_meta_data) values ($1, 'a@x.y', 'secret', '{"name": "Ann"}')`,
    [USER],
  );
  const inserted = await on.captured(source);
  expect(inserted[0]).not.toContain('secret');
  expect(await on.map(source, inserted)).toMatchObject([
    { key: USER, name: 'signed_up', properties: '{"MAIL": "a@x.y", "NAME": "Ann"}' },
  ]);
  const update = async (old: object): Promise<unknown[]> =>
    on.map(source, await on.captured(source, { operation: 'update', old: { ...old } }));
  expect(await update({ raw_user_meta_data: { name: 'Bob' } })).toMatchObject([
    {
      key: USER,
      name: 'updated',
      verdict: 'unless_inserted',
      properties: '{"WHOLE": "{email,id,is_sso_user,user_metadata}"}',
    },
  ]);
  expect(await update({ raw_user_meta_data: { name: 'Ann', x: 1 } })).toEqual([]);
  expect(await update({ email: 'old@x.y' })).toEqual([]);
  const fresh = JSON.parse(
    (await on.captured(source, { operation: 'update', old: { raw_user_meta_data: {} } }))[0] as string,
  );
  expect(await on.map(source, [{ ...fresh, fresh: true }])).toEqual([]);
  expect(await on.map(source, [fresh])).toHaveLength(1);
});

test('a row captured without a column that is needed now is a failed event, and no other', async () => {
  const on = await eventsDatabase();
  await on.app.query(`
    create domain public.filled as text not null;
    create table public.t (id int primary key, user_id uuid, a public.filled, b int)`);
  const table = await on.table('t');
  const source = eventSource(
    table,
    { user: column(table, 'user_id') },
    { name: 'a', properties: [attribute('A', 'a')] },
    { name: 'b', properties: [attribute('B', 'b')] },
  );
  await on.install(source);
  await on.app.query(`insert into public.t values (1, $1, 'x', 5)`, [USER]);
  const [row] = await on.captured(source);
  const { a: _, ...rest } = JSON.parse(row as string).r as Record<string, unknown>;
  const events = await on.map(source, [row, { ...JSON.parse(row as string), r: rest }]);
  expect(events.map((e) => [e.place, e.name, e.verdict, e.key, e.properties])).toEqual([
    [1, 'a', 'ok', USER, '{"A": "x"}'],
    [1, 'b', 'ok', USER, '{"B": 5}'],
    [2, 'a', 'failed', USER, '{"code": "RC_EVENT_COLUMN"}'],
    [2, 'b', 'ok', USER, '{"B": 5}'],
  ]);
  expect(events[2]!.message).toBe('The row was captured without what is needed now: a');
});

test('a table of a thousand columns, and an event of none', async () => {
  const on = await eventsDatabase();
  const names = Array.from({ length: 998 }, (_, n) => `c${n}`);
  await on.app.query(
    `create table public.wide (id int primary key, email text, ${names.map((n) => `${n} text`).join(', ')})`,
  );
  const table = await on.table('wide');
  const source = eventSource(
    table,
    { email: column(table, 'email') },
    { properties: names.map((n) => attribute(n, n)) },
    { name: 'bare' },
  );
  await on.install(source);
  await on.app.query(
    `insert into public.wide (id, email, ${names.join(', ')}) values (1, 'a@x.y', ${names.map((n) => `'${n}'`).join(', ')})`,
  );
  const [wide, bare] = await on.map(source, await on.captured(source));
  expect(JSON.parse(wide!.properties!)).toEqual(Object.fromEntries(names.map((n) => [n, n])));
  expect(bare).toMatchObject({ name: 'bare', properties: '{}', key: 'email:a@x.y' });
  const linkless = eventSource(table, {}, { properties: [attribute('X', { kind: 'const', value: 1 })] });
  await on.install(linkless);
  expect(await on.map(linkless, await on.captured(linkless))).toMatchObject([{ key: null, properties: '{"X": 1}' }]);
});

test('the app may rename, retype and drop what events are made of', async () => {
  const on = await eventsDatabase();
  await on.app.query(
    `create type public.mood as enum ('a'); create table public.t (id int primary key, user_id uuid, m public.mood, b int)`,
  );
  const table = await on.table('t');
  const source = eventSource(table, { user: column(table, 'user_id') }, { properties: [attribute('B', 'b')] });
  await on.install(source);
  await on.app.query(`insert into public.t values (1, $1, 'a', 5)`, [USER]);
  const captured = await on.captured(source);
  await on.app.query(
    `alter table public.t rename column b to c; alter table public.t alter c type text; alter table public.t drop column m; drop type public.mood`,
  );
  expect(await on.map(source, captured)).toMatchObject([{ verdict: 'ok', properties: '{"B": 5}' }]);
  await on.app.query('drop table public.t');
  expect(await on.map(source, captured)).toMatchObject([{ verdict: 'ok' }]);
});
