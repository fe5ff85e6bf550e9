import { expect, test } from 'vitest';
import { createWorld } from '../../support/world.ts';

test('addresses and names of every kind arrive as they are', async () => {
  const world = await createWorld();
  await world.start();
  const people: readonly (readonly [string, string])[] = [
    ['a+b@example.com', 'Plus & Minus'],
    ["o'brien@example.com", `Conan "the" O'Brien \\ back`],
    ['zoe@exämple.com', 'Zoë Ångström'],
    ['li@example.com', '李小龍 \u{1F409}\u{1F1E9}\u{1F1EA}'],
    ['rtl@example.com', 'مرحبا\u200f'],
    ['100%@example.com', '100 % {"json": true}\n\t'],
    ['slash/x@example.com', 'a/b?c#d'],
  ];
  for (const [email, name] of people) await world.signUp(email, { full_name: name });
  await world.settled();
  for (const [email, name] of people) {
    expect(world.sandbox.state.contact(email)?.fields['FIRSTNAME'], email).toBe(name);
  }
  await world.db.app.query('delete from auth.users');
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(0);
});

test('numbers and times are exact on the wire', async () => {
  const world = await createWorld({
    mapping: `unconfirmed: true
email: email
attributes:
  BIG: {sql: "(user_metadata->>'big')::bigint", type: integer}
  PRICE: {sql: "(user_metadata->>'price')::numeric", type: float}
  SEEN: {sql: "created_at::text", type: text}
  RAW: {sql: "user_metadata->'big'", type: json}`,
    fields: { BIG: 'integer', PRICE: 'float', SEEN: 'text', RAW: 'integer' },
  });
  await world.start();
  await world.db.app.query(
    `insert into auth.users (id, email, created_at, raw_user_meta_data)
     values (gen_random_uuid(), 'ann@example.com', '2026-01-02 03:04:05.123456+02',
             '{"big": 9007199254740993, "price": 0.1000000000000000055}')`,
  );
  await world.settled();
  const [call] = world.sandbox.state.calls();
  expect(call?.body).toContain('"BIG":9007199254740993');
  expect(call?.body).toContain('"PRICE":0.1000000000000000055');
  expect(call?.body).toContain('"SEEN":"2026-01-02 01:04:05.123456+00"');
  expect(call?.body).toContain('"RAW":9007199254740993');
});

test('1 MB of metadata: arrives when it is not mapped, a dead letter with the reason when it is', async () => {
  const world = await createWorld();
  await world.start();
  const big = 'x'.repeat(1024 * 1024);
  await world.signUp('heavy@example.com', { full_name: 'Heavy', blob: big });
  await world.signUp('wide@example.com', { full_name: big });
  await world.signUp('plain@example.com', { full_name: 'Plain' });
  await world.settled();
  expect(world.sandbox.state.contact('heavy@example.com')?.fields).toEqual({ FIRSTNAME: 'Heavy' });
  expect(world.sandbox.state.contact('plain@example.com')).toBeDefined();
  expect(world.sandbox.state.contact('wide@example.com')).toBeUndefined();
  const { rows } = await world.db.app.query('select stage, message from rollcall.dead_letters');
  expect(rows).toEqual([{ stage: 'map', message: expect.stringMatching(/take \d{7} bytes, and at most/) as string }]);
});
