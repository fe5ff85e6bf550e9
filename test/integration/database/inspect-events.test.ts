import { expect, test } from 'vitest';
import { attribute } from '../../support/config.ts';
import { happened, source } from './inspect-event-support.ts';
import { contacts, events, inspect, linkText, project, refusal, sql, systemEvent } from './inspect-support.ts';

test('the events of auth.users are one source, which has the mappable columns only', async () => {
  const db = await project();
  const users = await source(db, 'user.signed_up', 'user.signed_in', 'user.updated', 'user.deleted');
  expect(users.table).toMatchObject({ name: 'auth.users', kind: 'table' });
  expect(users.table.primaryKey).toEqual([{ name: 'id', sqlType: 'uuid', type: 'text' }]);
  expect(linkText(users.link)).toBe('user:id');
  const columns = [...users.table.columns.keys()];
  expect(columns).toContain('raw_user_meta_data');
  expect(columns).toContain('deleted_at');
  expect(columns.join()).not.toMatch(/token|password|change|recovery|reauthentication|instance_id|user_metadata/);
  const types = users.types.map((t) => [
    t.name,
    t.operations.join(),
    t.notWithInsert,
    t.properties.map((p) => p.name).join(),
  ]);
  expect(types).toEqual([
    ['user.signed_up', 'insert', false, 'provider'],
    ['user.signed_in', 'update', false, ''],
    ['user.updated', 'update', true, ''],
    ['user.deleted', 'delete', false, ''],
    ['user.deleted', 'update', false, ''],
  ]);
  for (const { condition } of users.types) {
    if (condition !== undefined) expect(users.expressions.get(condition)).toMatchObject({ type: 'boolean' });
  }
});

test('which change of a user is which event', async () => {
  const db = await project();
  const users = await source(db, 'user.signed_up', 'user.signed_in', 'user.updated', 'user.deleted');
  const now = '2026-01-02T03:04:05Z';
  const user = {
    id: '00000000-0000-4000-8000-000000000001',
    email: 'a@x.y',
    raw_user_meta_data: { a: 1 },
    role: 'authenticated',
  };
  expect(await happened(db, users, 'insert', user)).toEqual(['user.signed_up']);
  expect(await happened(db, users, 'delete', user)).toEqual(['user.deleted']);
  expect(await happened(db, users, 'delete', { ...user, deleted_at: now }), 'was deleted softly before').toEqual([]);
  const updates: [Record<string, unknown>, Record<string, unknown>, string[]][] = [
    [{ last_sign_in_at: now }, { last_sign_in_at: null }, ['user.signed_in']],
    [
      { last_sign_in_at: now, role: 'admin' },
      { last_sign_in_at: null, role: null },
      ['user.signed_in', 'user.updated'],
    ],
    [{ last_sign_in_at: null }, { last_sign_in_at: now }, []],
    [{ last_sign_in_at: now }, {}, []],
    [{ updated_at: now, recovery_token: 'x', email_change: 'b@x.y' }, { updated_at: null }, []],
    [{}, { email: 'b@x.y' }, ['user.updated']],
    [{}, { email: 'A@x.y' }, ['user.updated']],
    [{}, { phone: '49' }, ['user.updated']],
    [{ raw_user_meta_data: null }, { raw_user_meta_data: { a: 1 } }, ['user.updated']],
    [{}, { raw_app_meta_data: {} }, ['user.updated']],
    [{ is_anonymous: false }, { is_anonymous: true }, ['user.updated']],
    [{ banned_until: now }, { banned_until: null }, ['user.updated']],
    [
      { deleted_at: now, email: 'hash', raw_user_meta_data: {} },
      { deleted_at: null, email: 'a@x.y' },
      ['user.deleted'],
    ],
    [{ deleted_at: now }, { deleted_at: now, email: 'b@x.y' }, ['user.updated']],
    [{ deleted_at: null, email: 'a@x.y' }, { deleted_at: now, email: 'hash' }, ['user.updated']],
  ];
  for (const [row, old, expected] of updates) {
    expect({ row, old, events: await happened(db, users, 'update', { ...user, ...row }, old) }).toEqual({
      row,
      old,
      events: expected,
    });
  }
});

test('an older auth.users has fewer columns, and its events ask for none that it lacks', async () => {
  const db = await project(
    'alter table auth.users drop column deleted_at, drop column is_anonymous, drop column banned_until',
  );
  const users = await source(db, 'user.updated', 'user.deleted');
  expect(users.types.map((t) => t.operations.join())).toEqual(['update', 'delete']);
  expect(await happened(db, users, 'delete', { id: '00000000-0000-4000-8000-000000000001' })).toEqual(['user.deleted']);
  await db.app.query('alter table auth.users drop column last_sign_in_at');
  expect(await refusal(db, { systemEvents: [systemEvent('user.signed_in')] })).toMatchObject({
    code: 'RC_CONFIG_COLUMN_UNKNOWN',
    path: 'events.user.signed_in',
  });
});

test('properties and when of a user event have the names of the config, and no secret', async () => {
  const db = await project();
  const good = systemEvent('user.updated', {
    name: 'changed',
    properties: [
      attribute('plan', 'user_metadata.plan'),
      attribute('raw', 'raw_user_meta_data.plan'),
      sql('who', 'upper(email)'),
    ],
    when: { expression: `user_metadata ->> 'plan' is distinct from old.user_metadata ->> 'plan'`, line: 3, column: 4 },
  });
  const { events: found } = await inspect(db, { systemEvents: [good] });
  expect(found[0]?.types[0]).toMatchObject({ name: 'changed', when: good.when, properties: good.properties });
  expect(found[0]?.expressions.get('upper(email)')).toMatchObject({ type: 'text', columns: ['email'] });
  for (const path of ['encrypted_password', 'recovery_token', 'email_change', 'instance_id', 'nope', 'email.x']) {
    const wrong = systemEvent('user.updated', { properties: [attribute('x', path)] });
    expect((await refusal(db, { systemEvents: [wrong] })).code).toMatch(/^RC_CONFIG_COLUMN_(?:UNKNOWN|PATH)$/);
  }
});

test('a table of events has the operations, the condition and the properties of its mapping', async () => {
  const db = await project(`create table public.orders (id int primary key, email text, total numeric)`);
  const mapping = events('orders', {
    name: 'order_placed',
    operations: ['insert', 'update'],
    when: { expression: 'total > 0', line: 2, column: 2 },
    properties: [attribute('total', 'total'), sql('half', 'total / 2')],
  });
  const { events: found } = await inspect(db, {
    eventTables: [mapping],
    tables: [contacts('orders', { email: 'email' })],
  });
  expect(found[0]?.types).toEqual([
    {
      name: 'order_placed',
      operations: ['insert', 'update'],
      condition: undefined,
      when: mapping.when,
      properties: mapping.properties,
      notWithInsert: false,
    },
  ]);
  expect([...(found[0]?.expressions.keys() ?? [])]).toEqual(['total / 2', 'total > 0']);
  const counted = events('orders', {
    properties: [
      attribute('n', {
        kind: 'aggregate',
        expression: 'count(*)',
        from: {
          table: { schema: 'public', table: 'orders' },
          link: undefined,
          where: undefined,
          baseTables: [],
          everyMs: undefined,
          path: 'x',
          line: 1,
          column: 1,
        },
      }),
    ],
  });
  expect(await refusal(db, { eventTables: [counted] })).toMatchObject({ code: 'RC_SQL_EXPRESSION' });
});
