import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openShop } from './shop.ts';

const CONNECTOR = `
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
    table_mapping:
      customers:
        email: email
        plan: PLAN
        where: archived is not true`;

const SEGMENTS = `segments:
  pro:
    filter: user_metadata->>plan=eq.pro
    list: Pro users
  team:
    from: customers
    filter: plan=in.(team,"team, large")
    list: Team customers
  buyers:
    from: orders
    where: total > 10
    list: Buyers
`;

test('from preview to lists that are kept', async () => {
  const shop = await openShop();
  const { app } = shop.db;
  const file = await shop.write(CONNECTOR + `\n${SEGMENTS.trimEnd()}`);
  const run = (...argv: string[]) => shop.run(file, 'segments', ...argv);
  const users = ['ann', 'bob', 'cid', 'dan'].map((name) => ({ id: randomUUID(), email: `${name}@example.com` }));
  for (const [n, { id, email }] of users.entries()) {
    await app.query(
      `insert into auth.users (id, email, raw_user_meta_data, email_confirmed_at) values ($1, $2, $3, $4)`,
      [
        id,
        email,
        JSON.stringify({ plan: n === 1 ? 'free' : 'pro', age: n === 1 ? 'x' : '30' }),
        n === 3 ? null : '2026-01-01',
      ],
    );
  }
  // Ann by her id, a guest by the address, Bob twice (the newest row counts), one who is archived.
  await app.query(
    `insert into customers (user_id, email, plan, archived) values ($1, null, 'team', false), (null, 'Guest@example.com ', 'team, large', null),
       ($2, null, 'team', false), ($2, null, 'free', false), (null, 'old@example.com', 'team', true)`,
    [users[0]!.id, users[1]!.id],
  );
  await app.query(`insert into orders (customer_id, total) select id, id * 10 from customers`);

  // Nothing is installed so far.
  expect(await run('preview', 'pro')).toEqual({
    code: 0,
    stdout: 'users with user_metadata->>plan=eq.pro\n2 members\n  a***@example.com\n  c***@example.com\n',
    stderr: '',
  });
  expect((await run('preview', 'team', '--reveal')).stdout).toBe(
    'customers with plan=in.(team,"team, large")\n2 members\n  ann@example.com\n  guest@example.com\n',
  );
  expect(JSON.parse((await run('preview', 'buyers', '--json', '--limit', '1')).stdout)).toEqual({
    segment: 'buyers',
    from: 'public.orders',
    members: 2,
    sample: ['b***@example.com'],
  });
  expect((await run('preview', '--from', 'customers', '--filter', 'plan=eq.nothing')).stdout).toBe(
    'customers with plan=eq.nothing\n0 members\n',
  );
  expect((await run('preview', '--where', 'email is not null', '--limit', '1')).stdout).toBe(
    'users with email is not null\n3 members\n  a***@example.com\n  and 2 more\n',
  );
  const wrong = async (...argv: string[]) => {
    const { code, stdout, stderr } = await run('preview', ...argv);
    expect([code, stdout]).toEqual([1, '']);
    return stderr;
  };
  expect(await wrong('prp')).toBe('error RC_SEGMENT_UNKNOWN: The config has no segment "prp".\n  Did you mean pro?\n');
  expect(await wrong()).toBe(
    'error RC_SEGMENT_UNNAMED: Say which segment: its name, or one of --filter and --where.\n  The config has pro, team, buyers.\n',
  );
  expect(await wrong('--filter', 'plan=pro')).toMatch(
    /^error RC_CONFIG_FILTER: "pro" is no operator \(character 6 of the filter\)\.\n/,
  );
  // What is typed is at no line of the file.
  expect(await wrong('--from', 'customers', '--filter', 'id=gt.many')).toMatch(
    /^error RC_SQL_EXPRESSION: [^\n]*"many"\.\n {2}It may use these columns/,
  );
  expect(await wrong('--from', 'nowhere', '--filter', 'id=gt.1')).toContain('RC_TABLE_UNKNOWN');
  expect(await wrong('--from', 'refunds', '--filter', 'id=gt.1')).toContain('RC_NO_CONTACT_LINK');
  expect(await wrong('--where', "(user_metadata ->> 'age')::int > 1")).toMatch(
    /^error RC_SEGMENT_DATA[^\n]*\n {2}Write it so/,
  );
  expect(await wrong('--where', 'encrypted_password is not null')).toContain('RC_SQL_EXPRESSION');
  expect(await run()).toMatchObject({ code: 1, stderr: expect.stringContaining('RC_NOT_INSTALLED') as string });

  const applied = await shop.run(file, 'apply', '--yes');
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  expect(applied.stdout).toContain('Lists at mailtrap that will be created: Pro users, Team customers, Buyers');
  expect(applied.stdout).toContain('  pro: users with user_metadata->>plan=eq.pro, on "Pro users" at mailtrap');
  expect(applied.stdout).not.toContain('rollcall:');
  expect(shop.sandbox.state.lists().map(({ name }) => name)).toEqual(['Pro users', 'Team customers', 'Buyers']);
  expect(await shop.run(file, 'sync', '--full')).toMatchObject({ code: 0 });
  expect((await run()).stdout).toBe(`pro  2 members
  users with user_metadata->>plan=eq.pro
  on "Pro users" at mailtrap
team  2 members
  customers with plan=in.(team,"team, large")
  on "Team customers" at mailtrap
buyers  2 members
  orders with total > 10
  on "Buyers" at mailtrap
`);
  expect(JSON.parse((await run('--json')).stdout)).toMatchObject({
    segments: [{ name: 'pro', members: 2, on_list: 2, list: 'Pro users', from: 'users' }, {}, { where: 'total > 10' }],
  });
  const lists = shop.sandbox.state.lists();
  const on = (name: string): string[] => {
    const id = lists.find((each) => each.name === name)?.id ?? -1;
    return shop.sandbox.state
      .contacts()
      .flatMap(({ email, list_ids: ids }) => (ids.includes(id) ? [email] : []))
      .toSorted();
  };
  expect(on('Pro users')).toEqual(['ann@example.com', 'cid@example.com']);
  expect(on('Team customers')).toEqual(['ann@example.com', 'guest@example.com']);
  expect(on('Buyers')).toEqual(['bob@example.com', 'guest@example.com']);

  const more = await shop.write(`${CONNECTOR}\n${SEGMENTS}  late: { filter: email=is.null, list: 99 }`);
  expect((await shop.run(more, 'segments')).stdout).toContain(
    'late  not applied\n  users with email=is.null\n  on list 99 at mailtrap\n\nRun `rollcall apply` to have them kept.\n',
  );
  const none = await shop.write(CONNECTOR);
  expect(await shop.run(none, 'segments')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/has no\s+segments/) as string,
  });
  const checked = await shop.run(file, 'config', 'check');
  const flat = checked.stdout.replaceAll(/\s+/g, ' ');
  expect(flat).toContain(
    'segments pro: users with user_metadata->>plan=eq.pro, on "Pro users" at mailtrap team: customers',
  );
  expect(flat).toContain('orders: attributes segment buyers; contact by customer_id -> customers; where total');
  expect(checked.stdout).not.toContain('rollcall:');
}, 60_000);
