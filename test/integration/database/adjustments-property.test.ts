import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Adjustment, AttributeType } from '../../../src/core/mapping.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { install } from '../../support/install.ts';
import { adjustment, destination, views } from './adjustments-support.ts';
import { around, installed, REF } from './support.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Attributes of every type, each from the metadata under its own name in lower case. */
const TYPES: Readonly<Record<string, AttributeType>> = {
  WORD: 'text',
  Count: 'integer',
  RATE: 'float',
  FLAG: 'boolean',
  DAY: 'date',
  AT: 'timestamp',
  THING: 'json',
  "Odd 'name\\": 'text',
};
const NAMES = Object.keys(TYPES);

/** What a value becomes, in words of JavaScript; only what every value of the type can become. */
const BECOMES: Readonly<Record<AttributeType, Partial<Record<AttributeType, (value: unknown) => unknown>>>> = {
  text: { json: (value) => value },
  integer: { text: String, float: (value) => value, json: (value) => value },
  float: { text: String, json: (value) => value },
  boolean: { text: String, json: (value) => value },
  date: { text: String, timestamp: (value) => `${value as string}T00:00:00.000000Z`, json: (value) => value },
  timestamp: { text: String, date: (value) => (value as string).slice(0, 10), json: (value) => value },
  json: { text: (value) => (typeof value === 'string' ? value : JSON.stringify(value)) },
};

/** Conditions in SQL, and the same in JavaScript over the mapping's payload. */
const CONDITIONS: Readonly<Record<string, (mapped: Payload, email: string) => boolean>> = {
  'count > 5': ({ Count }) => typeof Count === 'number' && Count > 5,
  '"Count" > 5 or flag': ({ Count, FLAG }) => (typeof Count === 'number' && Count > 5) || FLAG === true,
  'rate is null': ({ RATE }) => RATE === undefined,
  "day < '2020-01-01'": ({ DAY }) => typeof DAY === 'string' && DAY < '2020-01-01',
  "at >= '2020-01-01T00:00:00Z'": ({ AT }) => typeof AT === 'string' && AT >= '2020',
  "email like 'p1%'": (_, email) => email.startsWith('p1'),
  "jsonb_typeof(thing) = 'string'": ({ THING }) => typeof THING === 'string',
  [`contact."Odd 'name\\" = word`]: (mapped) =>
    mapped['WORD'] !== undefined && mapped["Odd 'name\\"] === mapped['WORD'],
};

const adjustments: fc.Arbitrary<Adjustment> = fc
  .record({
    only: fc.option(fc.subarray(NAMES), { nil: undefined }),
    drop: fc.subarray(NAMES, { maxLength: 3 }),
    renamed: fc.subarray(NAMES),
    turn: fc.nat(NAMES.length),
    retype: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.nat(5)), { maxLength: 5 }),
    where: fc.option(fc.constantFrom(...Object.keys(CONDITIONS)), { nil: undefined }),
  })
  .map(({ only, drop, renamed, turn, retype, where }) => ({
    ...adjustment({
      ...(only && { only }),
      drop,
      // Names change places with each other, so that each is one attribute's.
      rename: Object.fromEntries(renamed.map((name, n) => [name, renamed[(n + turn) % renamed.length] ?? name])),
      retype: Object.fromEntries(
        retype.flatMap(([name, n]) => {
          const types = Object.keys(BECOMES[TYPES[name] ?? 'text']) as AttributeType[];
          return types.length === 0 ? [] : [[name, types[n % types.length] ?? 'json'] as const];
        }),
      ),
      ...(where !== undefined && { where }),
    }),
  }));

function transformed(mapped: Payload, { only, drop, rename, retype }: Adjustment): Payload {
  const types = new Map(retype.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(mapped)
      .filter(([name]) => only?.includes(name) !== false && !drop.includes(name))
      .map(([name, value]) => {
        const become = BECOMES[TYPES[name] ?? 'text'][types.get(name) ?? 'text'];
        return [
          rename[name] ?? name,
          value === null || !types.has(name) || become === undefined ? value : become(value),
        ];
      }),
  );
}

const people = fc.array(
  fc.record(
    {
      word: fc.constantFrom('a', 'Ünï', "it's", ''),
      count: fc.integer({ min: -10, max: 10 }),
      rate: fc.constantFrom(0.5, -12.25, 3),
      flag: fc.boolean(),
      day: fc.constantFrom('2019-12-31', '2024-02-29'),
      at: fc.constantFrom('2019-12-31T23:59:59.123456Z', '2024-02-29T00:00:00Z'),
      thing: fc.oneof(fc.constantFrom<unknown>('text', 7, true), fc.constant(null)),
      odd: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 12 },
);

test('the payload of a destination is what the mapping gives, changed as the config says', async () => {
  const { userMapping } = testConfig();
  const attributes = NAMES.map((name) => {
    const column = `user_metadata.${name.startsWith('Odd') ? 'odd' : name.toLowerCase()}`;
    return attribute(name, column, {
      type: TYPES[name],
      onNull: name === 'THING' || name === 'RATE' ? 'clear' : 'skip',
    });
  });
  const { db } = await installed();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(people, fc.array(adjustments, { minLength: 6, maxLength: 6 }), async (persons, list) => {
      run += 1;
      const config = testConfig({
        hash: String(run).padStart(64, 'a'),
        userMapping: { ...userMapping, attributes },
        destinations: [destination('plain'), ...list.map((one, n) => destination(`d${n}`, { adjustment: one }))],
      });
      await db.app.query('delete from auth.users');
      await install(db, config, REF);
      const one = await around(db, config);
      for (const [n, person] of persons.entries()) await one.insert(`p${n}@x.test`, person);
      await one.foldAll();
      const mapped = await views(one, 'plain');
      const { rows } = await db.app.query<{ id: string; email: string }>('select id, email from auth.users');
      for (const [n, adjusted] of list.entries()) {
        const found = await views(one, `d${n}`);
        const holds = CONDITIONS[adjusted.where?.expression ?? ''] ?? (() => true);
        for (const { id, email } of rows) {
          const plain = mapped.get(id)!.payload;
          // A null that clears is nothing to a condition.
          const values = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== null));
          const wanted = holds(values, email)
            ? { action: 'upsert', payload: transformed(plain, adjusted) }
            : { action: 'none', payload: {} };
          const { action, payload } = found.get(id)!;
          expect({ action, payload }).toEqual(wanted);
        }
      }
      // Nothing differs, by the one query or by the fold, and the same config again changes nobody.
      const same = { ...config, hash: 'b'.repeat(64) };
      await install(db, same, REF);
      expect(await (await around(db, same)).sweepNow()).toMatchObject({ folded: 0 });
    }),
    { numRuns: 5 },
  );
  expect(run).toBe(5);
});
