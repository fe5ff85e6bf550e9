import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WalPlan } from '../../sql/compile/wal-plan.ts';
import { decode, type WalMessage, type WalRelation } from './decode.ts';
import { judgeBudget, nextStep } from './decide.ts';
import { replicationError } from './check.ts';
import { formatLsn, formatTime, parseLsn } from './lsn.ts';
import { type WalPlace, WalReader } from './reader.ts';
import { mapRelation, readChange } from './rows.ts';

const ANN = '00000000-0000-4000-8000-000000000001';
const BEN = '00000000-0000-4000-8000-000000000002';

const PLAN: WalPlan = {
  key: ['id'],
  states: [{ log: null, function: null, uuid: true, links: ['user_id'], watched: ['user_id', 'total'] }],
  events: {
    columns: ['user_id', 'total'],
    operations: ['insert', 'update', 'delete'],
    quiet: true,
    whole: null,
    fresh: false,
  },
  identity: ['user_id'],
  full: true,
};

function relation(names: readonly string[], full = true): WalRelation {
  const columns = names.map((name) => ({ name, key: full || name === 'id', type: 25, modifier: -1 }));
  return { id: 1, schema: 'public', table: 'orders', full, columns };
}

const mapped = (names = ['id', 'user_id', 'total', 'note'], full = true, plan = PLAN): ReturnType<typeof mapRelation> =>
  mapRelation({ name: 'public.orders', plan }, relation(names, full));

describe('what a change tells', () => {
  test('an insert: its contact, and an event', () => {
    const told = readChange(mapped(), { kind: 'insert', row: ['7', ANN, '1', undefined] }, false);
    expect(told).toMatchObject({ keys: [{ rows: [ANN] }], event: { k: '7', n: [ANN, '1'], p: null }, missed: false });
  });

  test('a row that changes hands: both contacts', () => {
    const told = readChange(mapped(), { kind: 'update', old: ['7', ANN, '1', 'x'], row: ['7', BEN, '1', 'x'] }, false);
    expect(told.keys[0]?.rows).toEqual([BEN, ANN]);
    expect(told.event).toEqual({ k: '7', n: [BEN, '1'], p: [ANN, '1'] });
  });

  test('nothing that is watched: nothing', () => {
    const told = readChange(mapped(), { kind: 'update', old: ['7', ANN, '1', 'x'], row: ['7', ANN, '1', 'y'] }, false);
    expect(told).toEqual({ keys: [], event: undefined, missed: false, lost: false });
  });

  test('a value that was not sent has not changed', () => {
    const told = readChange(
      mapped(),
      { kind: 'update', old: ['7', ANN, '1', 'x'], row: ['7', BEN, undefined, 'x'] },
      false,
    );
    expect(told.event?.n).toEqual([BEN, '1']);
  });

  test('another key is another row', () => {
    const told = readChange(mapped(), { kind: 'update', old: ['7', ANN, '1', 'x'], row: ['8', ANN, '1', 'x'] }, false);
    expect(told.event).toEqual({ k: '8', n: [ANN, '1'], p: null });
  });

  test('what we write ourselves is no event', () => {
    expect(readChange(mapped(), { kind: 'insert', row: ['7', ANN, '1', null] }, true)).toMatchObject({
      event: undefined,
      missed: false,
    });
  });

  test('an identity that says too little: a sweep, and an event that is lost', () => {
    const key = mapped(undefined, false);
    expect(readChange(key, { kind: 'update', old: undefined, row: ['7', ANN, '1', null] }, false)).toMatchObject({
      keys: [],
      missed: true,
      lost: true,
    });
    expect(readChange(key, { kind: 'delete', old: ['7', null, null, null] }, false)).toMatchObject({
      missed: true,
      lost: true,
    });
    expect(readChange(key, { kind: 'insert', row: ['7', ANN, '1', null] }, false)).toMatchObject({
      missed: false,
      lost: false,
    });
  });

  test('a column that is gone: the whole row', () => {
    const other = mapped(['id', 'user_id', 'sum']);
    expect(other.events).toEqual({ places: [0, 1, 2], raw: true });
    expect(readChange(other, { kind: 'insert', row: ['7', ANN, '1'] }, false).event?.n).toEqual(['7', ANN, '1']);
    expect(readChange(mapped(['id', 'owner', 'total']), { kind: 'insert', row: ['7', ANN, '1'] }, false).missed).toBe(
      true,
    );
  });

  test('what is no user is nobody', () => {
    expect(readChange(mapped(), { kind: 'insert', row: ['7', 'x', '1', null] }, false).keys[0]?.rows).toEqual([]);
  });
});

const change = fc.record({ kind: fc.constant('insert' as const), id: fc.nat(9), user: fc.constantFrom(ANN, BEN) });
const transactions = fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });

test('cut off anywhere, and read again from the last place, each row is taken once', () => {
  fc.assert(
    fc.property(transactions, fc.array(fc.nat(12)), (all, cuts) => {
      const messages = all.flatMap((rows, n): WalMessage[] => [
        { kind: 'begin', commit: BigInt(100 * n + 50), at: BigInt(n), xid: n },
        ...rows.map((row): WalMessage => ({ kind: 'insert', relation: 1, row: [String(row.id), row.user, '1', null] })),
        { kind: 'commit', end: BigInt(100 * n + 60) },
      ]);
      const wanted = all.flatMap((rows, n) => rows.map(({ id }) => `${100 * n + 50} ${id}`));
      const got: string[] = [];
      let place: WalPlace = { at: 0n, place: 0 };
      for (const cut of [...cuts, messages.length]) {
        const reader = new WalReader(place, 0n, () => ({ name: 'public.orders', plan: PLAN }));
        reader.read({ kind: 'relation', relation: relation(['id', 'user_id', 'total', 'note']) });
        // As the server does, which begins with the first transaction that was not acknowledged.
        const from = messages.findIndex((m) => m.kind === 'begin' && m.commit >= place.at);
        if (from === -1) break;
        for (const message of messages.slice(from, from + cut)) reader.read(message);
        const { events } = reader.take();
        if (events.length === 0) continue;
        got.push(...events.flatMap((run) => run.rows.map(({ l, k }) => `${parseLsn(l)} ${k}`)));
        place = reader.place;
      }
      expect(got).toEqual(wanted);
    }),
    { numRuns: 50 },
  );
});

test('a row as the protocol has it, of which only some columns are read', () => {
  const bytes = Buffer.concat([
    Buffer.from('I\0\0\0\u0001N\0\u0003', 'latin1'),
    Buffer.from('t\0\0\0\u0002é', 'utf8'),
    Buffer.from('n', 'latin1'),
    Buffer.from('t\0\0\0\u0003abc', 'latin1'),
  ]);
  expect(decode(bytes, () => [true, true, false])).toEqual({
    kind: 'insert',
    relation: 1,
    row: ['é', null, undefined],
  });
});

test('positions and times are those of Postgres, exactly', () => {
  expect(formatLsn(parseLsn('16/B374D848'))).toBe('16/B374D848');
  expect(parseLsn('0/FFFFFFFF') < parseLsn('1/0')).toBe(true);
  expect(formatTime(817_171_200_123_456n)).toBe('2025-11-23T00:00:00.123456+00');
});

test.each([
  [{ slot: null, wanted: false, trouble: null }, 'rest'],
  [{ slot: null, wanted: true, trouble: null }, 'make'],
  [{ slot: 's', wanted: true, trouble: 'timeline' }, 'lost'],
  [{ slot: 's', wanted: false, trouble: null }, 'read'],
] as const)('of %o comes %s', (state, step) => {
  expect(nextStep(state)).toBe(step);
});

test.each([
  [4, false, 'fine'],
  [5, false, 'warn'],
  [8, false, 'give up'],
  [9, true, 'warn'],
  [10, true, 'drop'],
] as const)('a slot that keeps %i of 8: %o, %s', (keptBytes, givenUp, judged) => {
  expect(judgeBudget({ keptBytes, givenUp }, { warnBytes: 5, keepBytes: 8 })).toBe(judged);
});

test.each([
  ['08P01', 'RC_WAL_POOLER'],
  ['42601', 'RC_WAL_POOLER'],
  ['28000', 'RC_WAL_POOLER'],
  ['42501', 'RC_WAL_ROLE'],
  ['ECONNREFUSED', 'ECONNREFUSED'],
])('a connection that is refused with %s is told as %s', (code, told) => {
  expect(replicationError(Object.assign(new Error('no'), { code }), 'pooler.example', 'rollcall.yaml')).toMatchObject({
    code: told,
  });
});
