import { expect, test } from 'vitest';
import { createLogger } from '../../../src/cli/logger.ts';
import { runWorker } from '../../../src/homes/worker.ts';
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

test('log_realtime: each batch of changes is logged as it comes in, by its size alone', async () => {
  const world = await createWorld({ connector: 'log_realtime: true' });
  await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "Anna"}'`);
  await world.settled();
  const lines = world.logs.filter((line) => line.startsWith('info changes came in '));
  expect(lines.length).toBeGreaterThanOrEqual(2);
  expect(lines[0]).toMatch(/\{"changes":\d+,"contacts":1,"failed":0,"ms":\d+\}$/);
  expect(world.logs.join('\n')).not.toMatch(/ann@|Ann/);
});

test('debug and log_level: verbose: a line for each attempt, of nobody', async () => {
  for (const connector of ['debug: true', 'log_level: verbose']) {
    const lines: string[] = [];
    const world = await createWorld({ connector });
    const stop = new AbortController();
    const log = createLogger({ write: (text) => lines.push(text) }, world.config.log.level);
    const ended = runWorker({ config: world.config, log }, stop.signal);
    await world.signUp('ann@example.com', { full_name: 'Ann' });
    await world.settled();
    stop.abort();
    await ended;
    expect(lines.some((line) => line.includes('"level":"debug"') && line.includes('"msg":"attempt"'))).toBe(true);
    expect(lines.join('')).not.toMatch(/ann@|Ann|sandbox-token/);
  }
});
