import { expect, test } from 'vitest';
import type { Outcome } from '../core/outcome.ts';
import { type Observation, observeAll, tally } from './observer.ts';
import { observedSend, observedStore } from './observed.ts';
import type { Claimed, Logger, Send, Store } from './ports.ts';

const NOTHING = (): void => undefined;
const quiet: Logger = { error: NOTHING, warn: NOTHING, info: NOTHING, debug: NOTHING };
const rejected: Outcome = { kind: 'reject', code: 'invalid_email', message: 'ann@example.com is none' };
const lease = { token: 't', leaseMs: 1, graceMs: 1 };
const job = { token: 't', holder: 'h', holdMs: 1 };
const claimed = { contactId: '1' } as Claimed;

/** The few methods that a test calls. */
const storeOf = (methods: Partial<Store>): Store => methods as Store;

test('an observer that fails is named once and hurts neither the others nor the engine', async () => {
  const warned: string[] = [];
  const seen: string[] = [];
  const broken = (): never => {
    throw new Error('broken');
  };
  const observe = observeAll([broken, ({ what }) => seen.push(what)], {
    ...quiet,
    warn: (_, message) => warned.push(message),
  });
  const store = observedStore(storeOf({ pause: () => Promise.resolve() }), () => 'mailtrap', observe);
  await store.pause(1, 'unauthorized', 'no', 5);
  await store.pause(1, 'unauthorized', 'no', 5);
  expect([seen, warned.length]).toEqual([['pause', 'pause'], 1]);
  // Also one that is called directly.
  const bare = observedStore(storeOf({ fold: () => Promise.resolve(FOLDED) }), () => 'mailtrap', broken);
  expect(await bare.fold(5)).toBe(FOLDED);
});

const FOLDED = { busy: false, taken: 3, changed: 2, failed: 1, more: false };

test('outcomes are counted by kind and code, without a word of the destination', () => {
  const tallies = tally([
    { of: 'contact', outcome: rejected },
    { of: 'contact', outcome: rejected },
    { of: 'event', outcome: rejected },
    { of: 'contact', outcome: { kind: 'delivered' } },
  ]);
  expect(tallies).toEqual([
    { of: 'contact', outcome: 'reject', code: 'invalid_email', count: 2 },
    { of: 'event', outcome: 'reject', code: 'invalid_email', count: 1 },
    { of: 'contact', outcome: 'delivered', code: '', count: 1 },
  ]);
  expect(JSON.stringify(tallies)).not.toContain('ann');
});

test('what fails is told and fails still', async () => {
  const seen: Observation[] = [];
  const failure = Object.assign(new Error('no'), { code: '57P01' });
  const store = observedStore(
    storeOf({ settle: () => Promise.reject(failure) }),
    () => 'mailtrap',
    (o) => seen.push(o),
  );
  await expect(store.settle(1, lease, [])).rejects.toBe(failure);
  expect(seen).toMatchObject([{ what: 'trouble', during: 'settle', code: '57P01' }]);
});

test('of a request for many each contact is counted once, those refused by name by themselves', async () => {
  const seen: Observation[] = [];
  const left = [2, 0];
  const store = observedStore(
    storeOf({
      claimJob: () => Promise.resolve(Array.from({ length: 6 }, () => claimed)),
      settlePart: () => Promise.resolve(),
      jobEnded: () => Promise.resolve(true),
      settleJob: () => Promise.resolve(left.shift() ?? 0),
    }),
    (id) => `destination ${id}`,
    (o) => seen.push(o),
  );
  await store.claimJob(7, job, { lane: 0, most: 9, mostBytes: 9, consents: [], atOnce: 1, jobMs: 9 });
  await store.settlePart(job, 1, [{ delivery: claimed, outcome: rejected, waitMs: 0 }]);
  await store.jobEnded(job, { outcome: { kind: 'delivered' }, waitMs: 0, latencyMs: 5 });
  while ((await store.settleJob(job, 1, 3)) > 0);
  const tallies = seen.flatMap((o) => (o.what === 'settle' ? o.tallies.map((t) => [t.outcome, t.count]) : []));
  expect(tallies).toEqual([
    ['reject', 1],
    ['delivered', 3],
    ['delivered', 2],
  ]);
  expect(seen.filter((o) => o.what === 'job')).toMatchObject([{ destination: 'destination 7', outcome: 'delivered' }]);
});

test('each request is told when it begins and when it ends, by its status or by why there is none', async () => {
  const seen: Observation[] = [];
  const results = [
    { answered: true, response: { status: 429, headers: {}, body: 'ann@example.com' }, latencyMs: 3 },
    { answered: false, outcome: { kind: 'unknown', code: 'deadline', message: '' }, latencyMs: 4 },
  ] as const;
  let next = 0;
  const send: Send = () => Promise.resolve(results[next++]!);
  const observed = observedSend(send, 'mailtrap', (o) => seen.push(o));
  const request = { method: 'POST', url: 'https://example.com/ann', headers: {}, body: null } as const;
  for (const result of results) {
    expect(await observed(request, { header: 'x', value: 'y' }, { deadlineMs: 5 })).toBe(result);
  }
  expect(seen).toMatchObject([
    { what: 'sending', destination: 'mailtrap' },
    { what: 'send', status: 429, code: undefined, ms: 3 },
    { what: 'sending' },
    { what: 'send', status: undefined, code: 'deadline', ms: 4 },
  ]);
  expect(JSON.stringify(seen)).not.toContain('ann');
});
