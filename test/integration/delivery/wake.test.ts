import { expect, test } from 'vitest';
import { createWorld } from '../../support/world.ts';

test('wake: poll delivers without ever asking writers for a NOTIFY', async () => {
  const world = await createWorld({ more: 'wake: poll' });
  await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Ann' });
  const { rows } = await world.db.app.query<{ armed: string }>('select last_value as armed from rollcall.armed_until');
  expect(rows[0]?.armed).toBe('0');
});

test('log_queries: the text of queries is logged, values are not', async () => {
  const world = await createWorld();
  await world.start({ ...world.config, log: { level: 'info', queries: true, realtime: false } });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  const queries = world.logs.filter((line) => line.includes('"query"'));
  expect(queries.some((line) => line.includes('rollcall.fold'))).toBe(true);
  expect(queries.filter((line) => /ann|Ann/.test(line))).toEqual([]);
});
