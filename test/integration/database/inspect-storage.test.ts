import { expect, test } from 'vitest';
import { happened, source } from './inspect-event-support.ts';
import { linkText, plainRole, project, refusal, systemEvent } from './inspect-support.ts';

// As Supabase Storage's migrations leave it, but for what they index.
const STORAGE = `create schema storage;
  create table storage.objects (id uuid primary key default gen_random_uuid(), bucket_id text, name text, owner uuid,
    created_at timestamptz default now(), updated_at timestamptz default now(), last_accessed_at timestamptz default now(),
    metadata jsonb, path_tokens text[] generated always as (string_to_array(name, '/')) stored, version text, owner_id text,
    user_metadata jsonb);
  alter table storage.objects enable row level security;`;
const VERSIONED = `alter table storage.objects add archived_at timestamptz, add is_delete_marker boolean not null default false,
  add is_versioned boolean not null default false;`;

test('files: bucket, path, size and type, and the owner as contact', async () => {
  const db = await project(STORAGE);
  const files = await source(db, 'storage.object.created', 'storage.object.updated', 'storage.object.deleted');
  expect(files.table).toMatchObject({ name: 'storage.objects', kind: 'table', primaryKey: [{ name: 'id' }] });
  expect(linkText(files.link)).toBe('user:owner_id');
  expect(files.types.map((t) => t.properties.map((p) => [p.name, p.source, p.type]))).toEqual(
    [1, 2, 3].map(() => [
      ['bucket', { kind: 'column', path: ['bucket_id'] }, undefined],
      ['path', { kind: 'column', path: ['name'] }, undefined],
      ['size', { kind: 'column', path: ['metadata', 'size'] }, 'integer'],
      ['type', { kind: 'column', path: ['metadata', 'mimetype'] }, undefined],
    ]),
  );
  const file = { name: 'a/b.png', bucket_id: 'avatars', version: '1', metadata: { size: 3 } };
  expect(await happened(db, files, 'insert', file)).toEqual(['storage.object.created']);
  expect(await happened(db, files, 'delete', file)).toEqual(['storage.object.deleted']);
  for (const old of [{ name: 'x' }, { bucket_id: 'x' }, { version: '0' }, { metadata: null }])
    expect(await happened(db, files, 'update', file, old)).toEqual(['storage.object.updated']);
  const touched = { last_accessed_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', owner_id: 'x' };
  expect(await happened(db, files, 'update', file, touched)).toEqual([]);
});

test('in versioned buckets a deletion is a marker, and old versions go quietly', async () => {
  const db = await project(STORAGE + VERSIONED);
  const files = await source(db, 'storage.object.created', 'storage.object.updated', 'storage.object.deleted');
  const now = '2026-01-01T00:00:00Z';
  const file = { name: 'a', bucket_id: 'b', version: '1', is_delete_marker: false };
  const marker = { ...file, version: '2', is_delete_marker: true };
  expect(await happened(db, files, 'insert', file)).toEqual(['storage.object.created']);
  expect(await happened(db, files, 'insert', marker)).toEqual(['storage.object.deleted']);
  expect(await happened(db, files, 'update', { ...file, archived_at: now }, { archived_at: null })).toEqual([]);
  expect(await happened(db, files, 'update', marker, { is_delete_marker: false, version: '1' })).toEqual([
    'storage.object.deleted',
  ]);
  expect(await happened(db, files, 'delete', file)).toEqual(['storage.object.deleted']);
  expect(await happened(db, files, 'delete', { ...file, archived_at: now })).toEqual([]);
  expect(await happened(db, files, 'delete', marker)).toEqual([]);
});

test('an older storage.objects has an owner by uuid only; without the table the event is an error', async () => {
  const db = await project(
    `${STORAGE} alter table storage.objects drop column owner_id, drop column version, drop column metadata`,
  );
  const files = await source(db, 'storage.object.updated');
  expect(linkText(files.link)).toBe('user:owner');
  expect(files.types[0]?.properties.map((p) => p.name)).toEqual(['bucket', 'path']);
  await db.app.query('drop table storage.objects');
  expect(await refusal(db, { systemEvents: [systemEvent('storage.object.created')] })).toMatchObject({
    code: 'RC_NO_STORAGE_OBJECTS',
    path: 'events.storage.object.created',
    line: 9,
  });
});

test('without the right to have a trigger on storage.objects the GRANT is named', async () => {
  const db = await project(STORAGE);
  const { name, sql: own } = await plainRole(db);
  const config = { systemEvents: [systemEvent('storage.object.created')] };
  expect(await refusal(db, config, own)).toMatchObject({
    code: 'RC_TABLE_PERMISSION',
    hint: expect.stringContaining(`grant trigger on table storage.objects to ${name};`),
  });
});
