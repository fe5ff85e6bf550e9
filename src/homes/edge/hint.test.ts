import { expect, test } from 'vitest';
import type { ContactTable } from '../../core/mapping.ts';
import { readHint } from './hint.ts';

const ANN = '7b0c1a52-0000-4000-8000-00000000000a';
const BOB = '7b0c1a52-0000-4000-8000-00000000000b';

const table = (name: string, link?: ContactTable['link']): ContactTable =>
  ({ table: { schema: 'public', table: name }, link }) as ContactTable;
const CONFIG = {
  tables: [
    table('profiles'),
    table('members', { kind: 'user', column: 'owner' }),
    table('leads', { kind: 'email', column: 'mail' }),
  ],
  eventTables: [],
};

const body = (of: object): string =>
  JSON.stringify({ type: 'INSERT', table: 'users', schema: 'auth', old_record: null, ...of });
const read = (of: object): unknown => readHint(body(of), CONFIG);

test.each<[string, object, readonly string[]]>([
  ['a user by the primary key alone', { record: { id: ANN.toUpperCase(), email: 'a@x.io', invited_by: BOB } }, [ANN]],
  ['a row that is gone by what it was', { type: 'DELETE', record: null, old_record: { id: ANN } }, [ANN]],
  [
    'the column that the config names, before and after',
    {
      table: 'members',
      schema: 'public',
      type: 'UPDATE',
      record: { id: 1, owner: ANN },
      old_record: { id: 1, owner: BOB },
    },
    [ANN, BOB],
  ],
  [
    'any id, where the config names no column',
    { table: 'profiles', schema: 'public', record: { id: ANN, of: BOB, n: 1 } },
    [ANN, BOB],
  ],
  ['nobody, where rows lead elsewhere', { table: 'leads', schema: 'public', record: { id: ANN, mail: 'a@x.io' } }, []],
  ['nobody, where the id is none', { record: { id: "x' or true" } }, []],
])('%s', (_name, of, keys) => {
  expect(read({ ...of, user_id: 'a key that is not known' })).toEqual({ ok: true, keys });
});

test('numbers that JavaScript would round are no reason to refuse', () => {
  const text = body({ record: { id: ANN } }).replace('"record":{', '"record":{"score":9007199254740993,');
  expect(readHint(text, CONFIG)).toEqual({ ok: true, keys: [ANN] });
});

test.each<[string, object]>([
  ['"type" is none of INSERT, UPDATE and DELETE', { type: 'TRUNCATE', record: { id: ANN } }],
  ['"schema" and "table" are no texts', { table: 7, record: { id: ANN } }],
  ['"record" is no object', { record: [ANN] }],
  ['there is neither "record" nor "old_record"', { record: null }],
  ['the config names no such table', { table: 'orders', schema: 'public', record: { id: ANN } }],
])('refused: %s', (problem, of) => {
  expect(read(of)).toEqual({ ok: false, problem });
});

test.each(['', 'null', '[]', '{'])('refused: %j', (text) => {
  expect(readHint(text, CONFIG)).toEqual({ ok: false, problem: 'the body is no JSON object' });
});
