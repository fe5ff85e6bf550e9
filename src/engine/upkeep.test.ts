import { expect, test } from 'vitest';
import type { PausedSource, StoppedBrake, Store } from './ports.ts';
import { createSourceWatch } from './source-watch.ts';
import { DEFAULT_TIMES } from './times.ts';
import { runUpkeep } from './upkeep.ts';
import { createWake } from './wake.ts';

/** Runs the upkeep over a store of which each method plays its part, for as many bites of pruning. */
async function run(
  rounds: number,
  parts: Partial<Store>,
  more: boolean[] = [],
): Promise<{ done: string[]; logs: string[] }> {
  const done: string[] = [];
  const logs: string[] = [];
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { error: log, warn: log, info: log, debug: () => undefined };
  const enough = createWake();
  let left = rounds;
  const store: Partial<Store> = {
    ensureTriggers: async () => 0,
    recheckSources: async () => [],
    stoppedBrakes: async () => [],
    beginSweep: async () => {
      done.push('sweep');
      return undefined;
    },
    tidy: async () => {
      done.push('tidy');
      left -= 1;
      if (left === 0) enough.ring();
      return more.shift() ?? false;
    },
    pauseSource: async () => void done.push('pause'),
    resumeSource: async () => undefined,
    ...parts,
  };
  const stop = new AbortController();
  const running = runUpkeep(
    {
      store: store as Store,
      log: logger,
      sweepEveryMs: 1_000,
      times: { ...DEFAULT_TIMES, upkeepEveryMs: 1 },
      source: createSourceWatch(store as Store, logger),
      onFolded: () => undefined,
      isFatal: () => false,
    },
    stop.signal,
  );
  expect(await enough.wait(5_000)).toBe(true);
  stop.abort();
  await running;
  return { done: done.slice(0, rounds * 2), logs };
}

test('what fails holds up nothing else, and is told once', async () => {
  const { done, logs } = await run(2, {
    ensureTriggers: async () => {
      throw Object.assign(new Error('no'), { code: '42501' });
    },
  });
  expect(done).toEqual(['sweep', 'tidy', 'sweep', 'tidy']);
  expect(logs).toEqual(['could not make missing triggers; will try again {"code":"42501"}']);
});

test('triggers that were made are told', async () => {
  const made = [0, 3];
  const { logs } = await run(3, { ensureTriggers: async () => made.shift() ?? 0 });
  expect(logs).toEqual(['made triggers that were missing {"triggers":3}']);
});

test('a paused table is told once, and once when it is read again', async () => {
  const orders: PausedSource = { name: 'public.orders', code: 'drift' };
  const rounds: (readonly PausedSource[])[] = [[orders], [orders], [orders, { name: 'public.x', code: '42501' }], []];
  const { logs } = await run(5, { recheckSources: async () => rounds.shift() ?? [] });
  expect(logs.map((line) => line.replace(/(?<=table) is no longer.*apply`/, ' paused'))).toEqual([
    'a table paused {"source":"public.orders","code":"drift"}',
    'a table paused {"source":"public.x","code":"42501"}',
    'a table can be read again {"source":"public.orders"}',
    'a table can be read again {"source":"public.x"}',
  ]);
});

test('a brake that stops is told once, and once when it is off', async () => {
  const first: StoppedBrake = { destination: 'mailtrap', kind: 'deletes', held: 12 };
  const more: StoppedBrake = { ...first, held: 20 };
  const other: StoppedBrake = { destination: 'mailtrap', kind: 'changes', held: 300 };
  const rounds: (readonly StoppedBrake[])[] = [[first], [more], [more, other], []];
  const { logs } = await run(5, { stoppedBrakes: async () => rounds.shift() ?? [] });
  expect(logs).toEqual([
    'too many within an hour: they are held until somebody says `rollcall release`; `rollcall status` shows them {"destination":"mailtrap","brake":"deletes","held":12}',
    'too many within an hour: they are held until somebody says `rollcall release`; `rollcall status` shows them {"destination":"mailtrap","brake":"changes","held":300}',
    'a brake holds nothing any more {"destination":"mailtrap","brake":"deletes"}',
    'a brake holds nothing any more {"destination":"mailtrap","brake":"changes"}',
  ]);
});

test('pruning goes on bite by bite while there is more, and holds up the rest no longer than 20 bites', async () => {
  const { done } = await run(
    22,
    {},
    Array.from({ length: 21 }, () => true),
  );
  expect(done).toEqual(['sweep', ...Array.from({ length: 20 }, () => 'tidy'), 'sweep', 'tidy', 'tidy']);
});

test('auth.users that cannot be read is marked', async () => {
  const { done } = await run(1, {
    beginSweep: async () => {
      throw Object.assign(new Error('gone'), { code: 'RC003', detail: 'drift' });
    },
  });
  expect(done).toEqual(['pause', 'tidy']);
});
