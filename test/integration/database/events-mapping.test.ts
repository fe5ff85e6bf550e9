import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { column, condition, eventSource, eventsDatabase, ident } from './events-support.ts';

const USER = '6f1c1bd0-0000-4000-8000-000000000001';

test('values of every type arrive as they were, to the last digit', async () => {
  const on = await eventsDatabase();
  await on.app.query(`
    create schema shop;
    create type shop."Mood" as enum ('fine', 'so so');
    create domain shop.amount as numeric(20, 4) not null check (value > 0);
    create type shop.place as (city text, "at" timestamptz, "Size" shop.amount);
    create table public."Odd ""Name" (
      "Id" bigint primary key, user_id uuid, n numeric, tiny numeric(30, 25), d shop.amount, f float8, r real, m shop."Mood", b boolean,
      ts timestamptz, local timestamp, day date, j json, jb jsonb, words text[], nested int[][], p shop.place, ps shop.place[],
      bytes bytea, word varchar(5), "Mixed Case" text, gen bigint generated always as ("Id" + 1) stored, ip inet, nan float8);
    grant usage on schema shop to hosted`);
  const table = await on.table('Odd "Name');
  const names = [...table.columns.keys()].filter((name) => name !== 'user_id');
  const source = eventSource(
    table,
    { user: column(table, 'user_id') },
    { properties: names.map((name) => attribute(`p_${name}`, { kind: 'column', path: [name] }, { onNull: 'clear' })) },
  );
  await on.install(source);
  await on.app.query(
    `insert into public."Odd ""Name" values (9007199254740993, $1, 12345678901234567890.10, 0.0000000000000000000000001, 1.5, 0.1::float8 + 0.2::float8, 0.1,
      'so so', false, '2026-01-02 03:04:05.678901+02', '2026-01-02 03:04:05.000001', '2026-02-03', '{"b": 1.10, "a": null}',
      '{"z": [9007199254740993, null, 1.50]}', array['a', null, 'c"d'], '{{1,2},{3,4}}', row('X', '2026-01-01 00:00:00.000001Z', 2.5),
      array[row('Y', null, 1)::shop.place], '\\x00ff', 'abcde', 'ü\\''"', default, '10.0.0.1/8', 'NaN')`,
    [USER],
  );
  const [event] = await on.map(source, await on.captured(source, { at: '2026-05-06T07:08:09.123456Z' }));
  expect(event).toMatchObject({ place: 1, key: USER, name: 'happened', type_no: 1, verdict: 'ok', message: null });
  expect(event!.happened_at).toBe('2026-05-06T07:08:09.123456+00:00');
  const { rows } = await on.app.query('select jsonb_each_text($1::jsonb)::text as pair', [event!.properties]);
  expect(rows.map((row) => row.pair as string).toSorted()).toEqual(
    [
      '(p_Id,9007199254740993)',
      '(p_n,12345678901234567890.10)',
      '(p_tiny,0.0000000000000000000000001)',
      '(p_d,1.5000)',
      '(p_f,0.30000000000000004)',
      '(p_r,0.1)',
      '(p_m,"so so")',
      '(p_b,false)',
      '(p_ts,2026-01-02T01:04:05.678901Z)',
      '(p_local,2026-01-02T03:04:05.000001Z)',
      '(p_day,2026-02-03)',
      '(p_j,"{""a"": null, ""b"": 1.10}")',
      '(p_jb,"{""z"": [9007199254740993, null, 1.50]}")',
      '(p_words,"[""a"", null, ""c\\\\""d""]")',
      '(p_nested,"[[1, 2], [3, 4]]")',
      '(p_p,"{""at"": ""2026-01-01T00:00:00.000001+00:00"", ""Size"": 2.5000, ""city"": ""X""}")',
      '(p_ps,"[{""at"": null, ""Size"": 1.0000, ""city"": ""Y""}]")',
      '(p_bytes,"\\\\x00ff")',
      '(p_word,abcde)',
      `("p_Mixed Case","ü\\\\'""")`,
      '(p_gen,9007199254740994)',
      '(p_ip,10.0.0.1/8)',
      '(p_nan,)',
    ].toSorted(),
  );
});

test('a null is left out or told, and a null inside json is part of it', async () => {
  const on = await eventsDatabase();
  await on.app.query('create table public.t (id int primary key, user_id uuid, a text, j jsonb, k jsonb, l jsonb)');
  const table = await on.table('t');
  const source = eventSource(
    table,
    { user: column(table, 'user_id') },
    {
      properties: [
        attribute('A', 'a'),
        attribute('B', 'a', { onNull: 'clear' }),
        ...['j', 'k', 'l'].flatMap((c) => [
          attribute(`${c}_skip`, c, { type: 'json' }),
          attribute(`${c}_clear`, c, { type: 'json', onNull: 'clear' }),
        ]),
        attribute('DEEP', 'l.x.y', { onNull: 'clear' }),
      ],
    },
  );
  await on.install(source);
  await on.app.query(`insert into public.t values (1, null, null, 'null', null, '{"x": null}')`);
  const [event] = await on.map(source, await on.captured(source));
  expect(event!.key).toBeNull();
  expect(JSON.parse(event!.properties!)).toEqual({
    B: null,
    j_clear: null,
    k_clear: null,
    l_skip: { x: null },
    l_clear: { x: null },
    DEEP: null,
  });
});

test('operations, our condition, `when` and `old`: a name alone means the row', async () => {
  const on = await eventsDatabase();
  await on.app.query(
    `create table public.orders (id int primary key, user_id uuid, status text, total numeric, old text)`,
  );
  const table = await on.table('orders');
  const source = eventSource(
    table,
    { user: column(table, 'user_id') },
    { name: 'placed', when: condition(`total > 0 -- not a gift`) },
    {
      name: 'paid',
      operations: ['update'],
      when: condition(`status = 'paid' and old.status is distinct from orders.status`),
    },
    {
      name: 'gone',
      operations: ['delete'],
      condition: `status <> 'draft'`,
      properties: [attribute('S', { kind: 'sql', expression: 'upper(status)' })],
    },
    { name: 'new', operations: ['insert', 'update'], when: condition('old.id is null') },
  );
  await on.install(source);
  await on.app.query(
    `insert into public.orders values (1, $1, 'paid', 5, 'x'), (2, $1, 'draft', 0, 'x'), (3, $1, null, null, null)`,
    [USER],
  );
  const names = async (rows: unknown[]): Promise<unknown[]> =>
    (await on.map(source, rows)).map((e) => [e.place, e.name, e.type_no]);
  expect(await names(await on.captured(source))).toEqual([
    [1, 'placed', 1],
    [1, 'new', 4],
    [2, 'new', 4],
    [3, 'new', 4],
  ]);
  const one = { operation: 'update', where: 't.id = 1' } as const;
  expect(await names(await on.captured(source, { ...one, old: { status: 'open' } }))).toEqual([[1, 'paid', 2]]);
  expect(await names(await on.captured(source, { ...one, old: { status: null } }))).toEqual([[1, 'paid', 2]]);
  expect(await names(await on.captured(source, { ...one, old: { status: 'paid' } }))).toEqual([]);
  const gone = await on.map(source, await on.captured(source, { operation: 'delete' }));
  expect(gone.map((e) => [e.place, e.name, e.properties])).toEqual([[1, 'gone', '{"S": "PAID"}']]);
});

test('names of tables and columns that are also names of ours do no harm', async () => {
  const on = await eventsDatabase();
  for (const name of ['old', 'x', 'p_events', 'rollcall', 'events', 'o', 'event']) {
    const columns = [
      'p_events',
      'event',
      'o',
      'n',
      'c',
      'key',
      'place',
      'found',
      'holds',
      'complete',
      'verdict',
      'a',
      'x',
      'old',
    ];
    await on.app.query(
      `create table public.${ident(name)} (id int primary key, email text, ${columns.map((c) => `${ident(c)} int`).join(', ')})`,
    );
    const table = await on.table(name);
    const source = eventSource(
      table,
      { email: column(table, 'email') },
      {
        condition: columns.map((c) => `${ident(c)} = 7`).join(' and '),
        when: condition(columns.map((c) => `${ident(name)}.${ident(c)} = 7`).join(' and ')),
        properties: columns.map((c) => attribute(c, { kind: 'sql', expression: ident(c) })),
      },
    );
    await on.install(source);
    await on.app.query(`insert into public.${ident(name)} values (1, 'A@x.y', ${columns.map(() => 7).join(', ')})`);
    const [event] = await on.map(source, await on.captured(source));
    expect(event).toMatchObject({ key: 'email:a@x.y', verdict: 'ok' });
    expect(JSON.parse(event!.properties!)).toEqual(Object.fromEntries(columns.map((c) => [c, '7'])));
  }
});

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
