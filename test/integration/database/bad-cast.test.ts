import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { AttributeMapping } from '../../../src/core/mapping.ts';
import { attribute } from '../../support/config.ts';
import { createDatabase } from '../../support/database.ts';
import { type Installed, installed } from './support.ts';

function mappingOf(...attributes: readonly AttributeMapping[]): Partial<Config> {
  return { userMapping: { address: ['email'], attributes, where: undefined, unconfirmed: true } };
}

async function letters(one: Installed): Promise<unknown[]> {
  const { rows } = await one.db.app.query(
    `select c.key, l.stage, l.code, l.message from rollcall.dead_letters l join rollcall.contacts c on c.id = l.contact_id order by l.at, c.id`,
  );
  return rows;
}

const byRow: readonly {
  readonly name: string;
  readonly expression: string;
  readonly good: unknown;
  readonly bad: unknown;
  readonly code: string;
}[] = [
  { name: 'a number', expression: `(user_metadata->>'v')::int`, good: '1', bad: 'one', code: '22P02' },
  { name: 'a division', expression: `1 / (user_metadata->>'v')::int`, good: '1', bad: '0', code: '22012' },
  { name: 'a date', expression: `(user_metadata->>'v')::date`, good: '2026-01-02', bad: '2026-02-30', code: '22008' },
  {
    name: 'a time zone',
    expression: `timezone(user_metadata->>'v', created_at)`,
    good: 'UTC',
    bad: 'Mars',
    code: '22023',
  },
  { name: 'a pattern', expression: `email ~ (user_metadata->>'v')`, good: 'a', bad: '(', code: '2201B' },
  {
    name: 'an enormous text',
    expression: `repeat('x', (user_metadata->>'v')::int)`,
    good: '1',
    bad: '2000000000',
    code: '54000',
  },
  // Their errors have the class that a missing column has.
  { name: 'a JSON path', expression: `(user_metadata->>'v')::jsonpath::text`, good: '$.a', bad: '$.', code: '42601' },
  {
    name: 'a search',
    expression: `to_tsquery('simple', user_metadata->>'v')::text`,
    good: 'a & b',
    bad: 'a b',
    code: '42601',
  },
  {
    name: 'an encoding',
    expression: `length(convert_to(email, user_metadata->>'v'))`,
    good: 'UTF8',
    bad: 'none',
    code: '22023',
  },
  // What functions of the project raise.
  {
    name: 'a code of its own',
    expression: `public.picky(user_metadata->>'v')`,
    good: 'a',
    bad: 'custom',
    code: 'PT400',
  },
  { name: 'a constraint', expression: `public.picky(user_metadata->>'v')`, good: 'a', bad: 'check', code: '23514' },
  {
    name: 'a failed assertion',
    expression: `public.picky(user_metadata->>'v')`,
    good: 'a',
    bad: 'assert',
    code: 'P0004',
  },
  {
    name: 'a table that is not there',
    expression: `public.picky(user_metadata->>'v')`,
    good: 'a',
    bad: 'table',
    code: '42P01',
  },
];

for (const { name, expression, good, bad, code } of byRow) {
  test(`a row that fails for ${name} stops nobody else, says why, and heals`, async () => {
    const db = await createDatabase();
    await db.app.query(`grant usage on schema public to hosted;
      create function public.picky(t text) returns text language plpgsql immutable as $$ begin
        if t = 'custom' then raise 'refused' using errcode = 'PT400'; end if;
        if t = 'check' then raise check_violation; end if;
        if t = 'assert' then assert false; end if;
        if t = 'table' then perform 1 from public.not_there; end if;
        return t;
      end $$`);
    const one = await installed(
      { ...mappingOf(attribute('X', { kind: 'sql', expression })), allowFunctions: ['public.picky'] },
      db,
    );
    const before = await one.insert('before@x.y', { v: good });
    const poison = await one.insert('poison@x.y', { v: bad });
    const after = await one.insert('after@x.y', { v: good });
    expect(await one.foldAll()).toMatchObject({ taken: 3, changed: 2, failed: 1 });
    expect(await letters(one)).toEqual([{ key: poison, stage: 'map', code, message: expect.stringMatching(/./) }]);
    for (const id of [before, after]) expect(await one.desired(id)).toMatchObject({ action: 'upsert', due: true });
    expect(await one.desired(poison)).toBeUndefined();
    // The sweep does not try what is known to fail, and still sees the others.
    expect(await one.store.sweepPage(null, 100)).toMatchObject({ scanned: 3, folded: 0 });
    await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [poison, { v: good }]);
    expect(await one.foldAll()).toMatchObject({ changed: 1, failed: 0 });
    expect(await one.desired(poison)).toMatchObject({ action: 'upsert', due: true });
    expect(await letters(one)).toEqual([]);
  });
}

test('a person whose row cannot be mapped is deleted like any other', async () => {
  const one = await installed(mappingOf(attribute('X', 'user_metadata.v', { type: 'integer' })));
  const id = await one.insert('a@x.y', { v: 1 });
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"v": "bad"}' where id = $1`, [id]);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ action: 'upsert', payload: { X: 1 }, due: false });
  await one.db.app.query('delete from auth.users where id = $1', [id]);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ action: 'delete', reason: 'gone', due: true });
  expect(await letters(one)).toEqual([]);
});

test('a condition that fails for a row is that row’s trouble, and whoever is no contact cannot fail', async () => {
  const one = await installed({
    userMapping: {
      address: ['email'],
      attributes: [attribute('X', 'user_metadata.v', { type: 'integer' })],
      where: { expression: `(user_metadata->>'age')::int >= 18`, line: 1, column: 1 },
      unconfirmed: true,
    },
  });
  const bad = await one.insert('bad@x.y', { age: 'old' });
  const young = await one.insert('young@x.y', { age: 17, v: 'bad' });
  const adult = await one.insert('adult@x.y', { age: 18, v: 1 });
  expect(await one.foldAll()).toMatchObject({ failed: 1 });
  expect(await letters(one)).toMatchObject([{ key: bad, code: '22P02' }]);
  expect(await one.desired(young)).toMatchObject({ action: 'none', reason: 'filtered' });
  expect(await one.desired(adult)).toMatchObject({ action: 'upsert' });
});

test('a lock on the table is waited for by nobody’s dead letter', async () => {
  const one = await installed(mappingOf(attribute('X', 'user_metadata.v')));
  const id = await one.insert('a@x.y', { v: 1 });
  const app = await one.db.connect();
  await app.query('begin; lock table auth.users in access exclusive mode');
  const session = await one.db.connect(one.db.hostedUrl);
  for (const [setting, code] of [
    [`set lock_timeout = '50ms'`, '55P03'],
    [`reset lock_timeout; set statement_timeout = '50ms'`, '57014'],
  ] as const) {
    await session.query(setting);
    await expect(session.query('select * from rollcall.fold($1, 100)', [one.config.hash])).rejects.toMatchObject({
      code,
    });
  }
  await app.query('rollback');
  expect(await letters(one)).toEqual([]);
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1, failed: 0 });
  expect(await one.desired(id)).toMatchObject({ due: true });
});
