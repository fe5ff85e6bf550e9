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
