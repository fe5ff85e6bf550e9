import { expect, test } from 'vitest';
import { inConfig, ORDERS } from './inspect-orders.ts';
import { contacts, inspect, project, refusal, sql } from './inspect-support.ts';

test('expressions that reach beyond their row are refused wherever they stand, and nothing is left behind', async () => {
  const db = await project(ORDERS);
  const refused = [
    '(select value from public.secrets limit 1)',
    '(select total from public.orders o limit 1)',
    '(select encrypted_password from auth.users limit 1)',
    '(select rolname from pg_roles limit 1)',
    `(select setting from pg_settings limit 1)`,
    `exists (select from pg_temp.rollcall_projection)::text || (select 1 from pg_class limit 1)`,
    '(select email from pg_temp.rollcall_projection limit 1)',
    'random()',
    'clock_timestamp()',
    `query_to_xml('select 1', true, false, '')`,
    `current_setting('server_version')`,
    `pg_read_file('/etc/passwd')`,
    'CURRENT_USER',
    'public.tier_of(total)',
    'public.dice()',
    `'x'::public.other_state`,
    `email::public.picky`,
    'ctid',
    'orders.tableoid',
    'nope',
    `created_at < 'now'::timestamptz`,
    '1, 2',
    '1) as a, (2',
    '1) as value union all select (2',
    '1) from pg_temp.rollcall_projection as x where (true',
    '1) as value from pg_temp.rollcall_projection as orders; drop table public.secrets; --',
    '1) as value from pg_temp.rollcall_projection; drop table public.secrets; select (2',
    `1); drop table public.secrets; --`,
    '1 /* ',
    `'`,
    '$1',
    '',
  ];
  const allowed: string[] = [];
  for (const expression of refused) {
    for (const [scope, config] of Object.entries(inConfig(expression))) {
      try {
        const { code } = await refusal(db, config);
        if (code !== 'RC_SQL_EXPRESSION') allowed.push(`${scope}: ${expression}: ${code}`);
      } catch (error) {
        allowed.push(`${scope}: ${expression}: ${String(error)}`);
      }
    }
    // The same inside an aggregate, which is what an aggregate's author would write.
    if (expression === '1, 2') continue; // a record there
    const inside = inConfig(`max((${expression})::text)`).rows;
    await refusal(db, inside).catch(() => allowed.push(`aggregate of ${expression}`));
  }
  expect(allowed).toEqual([]);
  const left = await db.app.query(`select relname from pg_class where relname like 'rollcall%'`);
  expect(left.rows).toEqual([]);
  expect((await db.app.query('select * from public.secrets')).rows).toEqual([]);
});

test('functions of the project need to be listed, in aggregates and events too', async () => {
  const db = await project(ORDERS);
  for (const config of [
    inConfig('public.tier_of(total)').row,
    inConfig('max(public.tier_of(total))').rows,
    inConfig('public.tier_of(old.total)').event,
  ]) {
    expect(await refusal(db, config)).toMatchObject({
      hint: expect.stringContaining('list public.tier_of under allow_functions'),
    });
    await inspect(db, { ...config, allowFunctions: ['public.tier_of'] });
  }
  expect(await refusal(db, { ...inConfig('public.dice()').row, allowFunctions: ['public.dice'] })).toMatchObject({
    message: expect.stringContaining('another value each time'),
  });
});

test('a mistake says what Postgres says, where it stands, and which columns there are', async () => {
  const db = await project(ORDERS);
  const found = await refusal(db, { tables: [contacts('orders', { email: 'email', attributes: [sql('X', 'totl')] })] });
  expect(found).toMatchObject({ code: 'RC_SQL_EXPRESSION', path: 'X', line: 1 });
  expect(found.message).toBe('This SQL expression does not work: column "totl" does not exist.');
  expect(found.hint).toContain('id, email, total, state');
});
