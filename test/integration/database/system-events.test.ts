import { expect, test } from 'vitest';
import { withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

/** As Supabase Storage's migrations leave it, as far as events need it. */
const STORAGE = `create schema storage;
  create table storage.objects (id uuid primary key default gen_random_uuid(), bucket_id text, name text, owner uuid, owner_id text,
    created_at timestamptz default now(), updated_at timestamptz default now(), last_accessed_at timestamptz default now(),
    metadata jsonb, path_tokens text[] generated always as (string_to_array(name, '/')) stored, version text, user_metadata jsonb);
  alter table storage.objects enable row level security;
  grant usage on schema storage to hosted;
  grant all on storage.objects to hosted`;

const CONNECTOR = `user_mapping:
  unconfirmed: true
  email: email
sync: { storage: true }
events:
  auth.user.created: true
  user.signed_in: { event_name: logged_in, properties: { app_metadata.provider: via } }
  user.updated: true
  user.deleted: true`;

const world = (): Promise<Installed> => withTables({ ddl: STORAGE, connector: CONNECTOR });

async function told(one: Installed): Promise<[string, object][]> {
  const { rows } = await one.db.app.query('select name, properties from rollcall.events order by happened_at, seq');
  return rows.map((row) => [row.name as string, row.properties as object]);
}

test('the life of a user, as Supabase Auth writes it, is told once', async () => {
  const one = await world();
  const { app } = one.db;
  // Sign-up: an insert, and the role in the same transaction (models.User, SetRole).
  await app.query('begin');
  const user = await one.insert('a@x.test', {}, { raw_app_meta_data: JSON.stringify({ provider: 'email' }) });
  await app.query(`update auth.users set role = 'authenticated', updated_at = now()`);
  await app.query('commit');
  await app.query(`update auth.users set last_sign_in_at = now(), updated_at = now()`);
  await app.query(`update auth.users set recovery_token = 'secret', recovery_sent_at = now()`);
  await app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A"}'`);
  await app.query(`update auth.users set email = 'aGFzaA', raw_user_meta_data = '{}', deleted_at = now()`);
  await app.query('delete from auth.users where id = $1', [user]);
  await one.foldAll();
  expect(await told(one)).toEqual([
    ['auth.user.created', { provider: 'email' }],
    ['logged_in', { via: 'email' }],
    ['user.updated', {}],
    ['user.deleted', {}],
  ]);
});

test('files are events of their owner; the permission check that is rolled back is none', async () => {
  const one = await world();
  const { app } = one.db;
  const user = await one.insert('a@x.test', {});
  await one.foldAll();
  await one.deliverAll();
  await app.query('delete from rollcall.events');
  const insert = `insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata) values ($1, $2, $3::uuid, $3::text, $4, $5)`;
  const put = (name: string, version: string, metadata: object | null): Promise<unknown> =>
    app.query(insert, ['avatars', name, user, version, metadata === null ? null : JSON.stringify(metadata)]);
  // Storage tries the insert first, to see whether row security allows it (uploader.ts, testPermission).
  await app.query('begin');
  await put('a/face.png', 'v1', null);
  await app.query('rollback');
  await put('a/face.png', 'v1', { size: 2048, mimetype: 'image/png' });
  await app.query(`update storage.objects set last_accessed_at = now()`);
  await app.query(
    `update storage.objects set version = 'v2', metadata = '{"size": 9007199254740993, "mimetype": "image/png"}'`,
  );
  await app.query(`update storage.objects set name = 'a/moved.png'`);
  await app.query('delete from storage.objects');
  await one.foldAll();
  const file = { bucket: 'avatars', path: 'a/face.png', size: 2048, type: 'image/png' };
  expect((await told(one)).map(([name, { ...p }]) => [name, p])).toEqual([
    ['storage.object.created', file],
    ['storage.object.updated', { ...file, size: 9007199254740992 }],
    ['storage.object.updated', { ...file, size: 9007199254740992, path: 'a/moved.png' }],
    ['storage.object.deleted', { ...file, size: 9007199254740992, path: 'a/moved.png' }],
  ]);
  const { rows } = await app.query(
    `select properties::text as p from rollcall.events where name = 'storage.object.deleted'`,
  );
  expect(rows[0].p).toContain('9007199254740993');
  expect((await one.claim()).map((d) => d.events.length)).toEqual([4]);
});

test('a file without an owner is nobody’s event', async () => {
  const one = await world();
  await one.db.app.query(`insert into storage.objects (bucket_id, name) values ('b', 'c')`);
  await one.foldAll();
  const { rows } = await one.db.app.query('select state, reason from rollcall.events');
  expect(rows).toEqual([{ state: 'dropped', reason: 'no_contact_link' }]);
});
