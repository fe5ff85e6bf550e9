import { expect, test } from 'vitest';
import { createGate, type Gate } from '../../support/gate.ts';
import { bodyOf, eventually, expectInStep } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

test('an address reused while the destination is down lives on with the second person’s data only', async () => {
  let gate: Gate | undefined;
  const world = await createWorld({
    baseUrl: async (sandbox) => {
      gate = await createGate(Number(new URL(sandbox.apiUrl).port));
      return `http://127.0.0.1:${gate.port}${new URL(sandbox.apiUrl).pathname}`;
    },
  });
  await world.start();
  const first = await world.signUp('ann@example.com', { full_name: 'First', n: 1 });
  await world.settled();
  await gate?.shut();
  await world.db.app.query('delete from auth.users where id = $1', [first]);
  await eventually(async () => {
    const { rows } = await world.db.app.query('select 1 from rollcall.due where tries > 0');
    return rows.length > 0;
  });
  // No second name: what the first person had there must go, not stay.
  await world.signUp('ann@example.com', { n: 2 });
  await gate?.open();
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toEqual({ N: '2' });
  expect(world.sandbox.state.calls().at(-1)?.method).toBe('PATCH');
});

test('two people change places: each contact ends with its own data', async () => {
  const world = await createWorld();
  await world.start();
  const one = await world.signUp('one@example.com', { full_name: 'One', n: 1 });
  const two = await world.signUp('two@example.com', { full_name: 'Two', n: 2 });
  await world.settled();
  await world.db.app.query('begin');
  await world.db.app.query(`update auth.users set email = 'between@example.com' where id = $1`, [one]);
  await world.db.app.query(`update auth.users set email = 'one@example.com' where id = $1`, [two]);
  await world.db.app.query(`update auth.users set email = 'two@example.com' where id = $1`, [one]);
  await world.db.app.query('commit');
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.calls().some((call) => bodyOf(call)?.email === 'between@example.com')).toBe(false);
});
