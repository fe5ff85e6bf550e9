import { expect, test } from 'vitest';
import type { ConsentBasis, WriteBack } from '../../../src/core/mapping.ts';
import { contacts, inspect, named, plainRole, project, refusal } from './inspect-support.ts';

const TABLES = `create table public.profiles (id uuid primary key references auth.users (id), marketing boolean, left_at timestamptz,
    note text, tags jsonb, lead_id int);
  create table public.loose (id int primary key, unsubscribed boolean);
  create view public.shown as select id, marketing from public.profiles`;

function to(table: string, name: string, more: Partial<WriteBack & { insert: boolean }> = {}): WriteBack {
  const { insert = false, ...rest } = more;
  const target = { kind: 'column', table: named(table), name, link: undefined, insert } as const;
  return { target, says: 'opted_out', path: 'write_back', line: 5, column: 13, ...rest };
}

const metadata: WriteBack = {
  target: { kind: 'app_metadata', name: 'unsubscribed' },
  says: 'opted_out',
  path: 'write_back',
  line: 5,
  column: 13,
};

test('what can hold it is taken, with the way to its rows', async () => {
  const db = await project(TABLES);
  const writeBacks = [to('profiles', 'marketing'), to('profiles', 'left_at'), to('profiles', 'note'), metadata];
  const found = await inspect(db, { writeBacks });
  expect(found.writeBacks.map(({ column }) => column && [column.kind, column.link.user?.name])).toEqual([
    ['boolean', 'id'],
    ['timestamp', 'id'],
    ['text', 'id'],
    undefined,
  ]);
});

test.each([
  ['a table that is not there', to('nobody', 'x'), 'RC_TABLE_UNKNOWN', 'nobody'],
  ['a column that is not there', to('profiles', 'unsubscribed'), 'RC_CONFIG_COLUMN_UNKNOWN', 'unsubscribed'],
  ['a column of another kind', to('profiles', 'tags'), 'RC_WRITE_BACK', 'jsonb'],
  ['a view', to('shown', 'marketing'), 'RC_WRITE_BACK', 'view'],
  ['rows of nobody', to('loose', 'unsubscribed'), 'RC_NO_CONTACT_LINK', 'loose'],
] as const)('%s is refused, with its place', async (_name, writeBack, code, says) => {
  const db = await project(TABLES);
  const found = await refusal(db, { writeBacks: [writeBack] });
  expect(found).toMatchObject({ code, message: expect.stringContaining(says) });
  expect(found.path).toMatch(/^write_back/);
});

test('the column of the answers is written as it is read, and no time is written into it', async () => {
  const db = await project(TABLES);
  const consent = (column: string): ConsentBasis => {
    const table = { schema: 'public', table: 'profiles' };
    return { kind: 'column', table, path: [column], line: 1, column: 1 };
  };
  const tables = [contacts('profiles')];
  const ask = (writeBack: WriteBack, of: ConsentBasis) => refusal(db, { tables, consent: of, writeBacks: [writeBack] });
  expect(await ask(to('profiles', 'marketing'), consent('marketing'))).toMatchObject({
    code: 'RC_WRITE_BACK',
    hint: 'Add `says: opted_in`.',
  });
  expect(await ask(to('profiles', 'left_at', { says: 'opted_in' }), consent('left_at'))).toMatchObject({
    code: 'RC_WRITE_BACK',
    message: expect.stringContaining('neither yes nor no'),
  });
  const right = {
    tables,
    consent: consent('marketing'),
    writeBacks: [to('profiles', 'marketing', { says: 'opted_in' })],
  };
  expect((await inspect(db, right)).writeBacks).toHaveLength(1);
  const inMetadata: ConsentBasis = { kind: 'column', path: ['app_metadata', 'unsubscribed'], line: 1, column: 1 };
  expect(await ask(metadata, inMetadata)).toMatchObject({ code: 'RC_WRITE_BACK' });
});

test('the right to write is asked for, and the very statement heals it', async () => {
  const db = await project(TABLES);
  const { name, sql } = await plainRole(db);
  await db.app.query(`grant usage on schema public to ${name}; grant select on public.profiles to ${name}`);
  const config = { writeBacks: [to('profiles', 'marketing', { insert: true })] };
  const found = await refusal(db, config, sql);
  expect(found).toMatchObject({ code: 'RC_TABLE_PERMISSION' });
  await db.app.query(found.hint.replace('As the owner of the table run: ', ''));
  expect((await inspect(db, config, sql)).writeBacks).toHaveLength(1);
});
