import { describe, expect, test } from 'vitest';
import type { ContactEvent } from '../core/destination.ts';
import { DEFAULT_RETRY } from '../core/retry.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { createLane } from './lane.ts';
import type { Claimed, SendResult, Settlement, Store } from './ports.ts';
import { DEFAULT_TIMES } from './times.ts';
import { createWake } from './wake.ts';

const SECRET = 'nobody@example.com bought a ring';

function event(n: number): ContactEvent {
  return { id: `e${n}`, name: 'order_placed', properties: { note: SECRET }, at: '2026-05-06T07:08:09.123456Z' };
}

const inStep: Claimed = {
  contactId: '7',
  version: '3',
  action: 'upsert',
  sendState: false,
  events: [event(1), event(2)],
  size: 0,
  address: 'a@x.y',
  remote: { id: 'i', address: 'a@x.y' },
  attributes: {},
  takeover: false,
  consent: 'basis',
  tries: 0,
  lane: 0,
  dueAt: '2026-05-06 07:08:09',
  carryFrom: null,
};

/** Runs a lane over one unit until it is settled or given back. */
async function run(
  unit: Claimed,
  answers: readonly (number | 'none')[],
  options: { readonly eventsAtMostOnce?: boolean } = {},
) {
  const calls: string[] = [];
  const settlements: Settlement[] = [];
  const logs: string[] = [];
  const ended = createWake();
  const work = [unit];
  const left = [...answers];
  const store: Partial<Store> = {
    destinations: async () => [state],
    claim: async () => work.splice(0),
    takeSends: async (_destination, _buckets, want) => ({ granted: want, waitMs: 0 }),
    settle: async (_destination, _lease, more) => {
      settlements.push(...more);
      ended.ring();
      return 0;
    },
    lookAtJobs: async () => ({ lanes: [NONE, NONE], atWork: 0, orphan: false }),
    adoptJob: async () => undefined,
    release: async () => {
      calls.push('release');
      ended.ring();
    },
    holdSends: async (_destination, _buckets, waitMs) => void calls.push(`hold ${waitMs >= 3_000}`),
    pause: async (_destination, code) => void calls.push(`pause ${code}`),
    resume: async () => void calls.push('resume'),
  };
  const state = { id: 1, name: 'mail', plan: {}, pausedMs: 0, pauses: 0 };
  const log = (fields: object, message: string): void => void logs.push(`${message} ${JSON.stringify(fields)}`);
  const lane = createLane({
    store: store as Store,
    destination: mailtrap,
    config: mailtrap.config.parse({ api_token: 'tok', concurrency: 1 }),
    state,
    send: async () => answer(left.shift() ?? 201),
    facts: { receive: async () => undefined },
    log: { error: log, warn: log, info: log, debug: log },
    graceMs: 1_000,
    retry: DEFAULT_RETRY,
    liveWaitMs: 0,
    eventsAtMostOnce: options.eventsAtMostOnce ?? false,
    times: DEFAULT_TIMES,
    random: () => 0.5,
    notified: createWake(),
    onRefused: () => undefined,
    isFatal: () => false,
  });
  const stop = new AbortController();
  const running = lane.run(stop.signal);
  expect(await ended.wait(5_000)).toBe(true);
  stop.abort();
  await running;
  return { calls, settlement: settlements[0], logs };
}

function answer(status: number | 'none'): SendResult {
  if (status === 'none') {
    return { answered: false, outcome: { kind: 'unknown', code: 'timeout', message: 'No answer.' }, latencyMs: 3 };
  }
  return { answered: true, response: { status, headers: { 'retry-after': '3' }, body: '{}' }, latencyMs: 3 };
}

const NONE = { waiting: 0, oldestMs: 0, growing: false };

describe('what a lane records of events', () => {
  test('each event that was sent, and nothing of a state that was not', async () => {
    const { settlement } = await run(inStep, []);
    expect(settlement).toMatchObject({ outcome: undefined, waitMs: 0, latencyMs: 0 });
    expect(settlement?.events).toEqual([
      { id: 'e1', outcome: { kind: 'delivered' }, latencyMs: 3 },
      { id: 'e2', outcome: { kind: 'delivered' }, latencyMs: 3 },
    ]);
  });

  test.each([
    [500, false],
    ['none', false],
    ['none', true],
  ] as const)(
    'an event that failed (%s, at most once: %s) is waited for, from the first time on',
    async (status, once) => {
      const { settlement } = await run(inStep, [status], { eventsAtMostOnce: once });
      expect(settlement?.events).toHaveLength(1);
      expect(settlement?.waitMs).toBeGreaterThan(0);
    },
  );

  test('an outcome that waits to be written keeps nothing of what was sent', async () => {
    const { settlement } = await run({ ...inStep, attributes: { NOTE: SECRET } }, []);
    expect(settlement).toMatchObject({ events: [{ id: 'e1' }, { id: 'e2' }] });
    expect(JSON.stringify(settlement)).not.toContain(SECRET);
  });

  test('a state of unknown outcome is followed at once', async () => {
    const { settlement } = await run({ ...inStep, sendState: true }, ['none']);
    expect(settlement).toMatchObject({ outcome: { kind: 'unknown' }, events: [], waitMs: 0 });
  });

  test('an event that is throttled holds the destination, one that is refused as a whole pauses it', async () => {
    const throttled = await run(inStep, [201, 429]);
    expect(throttled.settlement).toMatchObject({ waitMs: 3_000 });
    expect(throttled.calls).toEqual(['hold true']);
    const refused = await run(inStep, [201, 401]);
    expect(refused.settlement?.events).toMatchObject([{ id: 'e1' }, { id: 'e2', outcome: { kind: 'config' } }]);
    expect(refused.calls).toEqual(['pause unauthorized']);
  });

  test('logs hold ids and outcomes, and nothing of the events themselves', async () => {
    const { logs } = await run(inStep, [201, 422]);
    expect(logs.join('\n')).not.toContain(SECRET.slice(0, 6));
    expect(logs).toEqual([
      'event attempt {"destination":"mail","contact":"7","event":"e1","outcome":"delivered","ms":3}',
      'event attempt {"destination":"mail","contact":"7","event":"e2","outcome":"reject","code":"http_422","ms":3}',
    ]);
  });
});
