import { expect, test } from 'vitest';
import type { Change, Evidence } from './storm/evidence.ts';
import { tooSlow } from './storm/judge.ts';
import { judgeConsent } from './storm/judge-consent.ts';
import { judgeEvents } from './storm/judge-events.ts';
import { judgeLimits, mostIn } from './storm/judge-limits.ts';
import { judgeLogs } from './storm/judge-logs.ts';
import { judgeContacts } from './storm/judge-contacts.ts';
import { judgeOrder } from './storm/judge-order.ts';
import { judgeOverlap } from './storm/judge-overlap.ts';
import { planOf, showPlan } from './storm/plan.ts';
import type { Exchange } from './storm/exchange.ts';

const ANN = 'ann@example.com';

/** A run in which nothing happened, but for what is given. */
function evidence(more: Partial<Evidence>): Evidence {
  return {
    plan: planOf(1),
    history: { states: [], events: [], contacts: [] },
    numbers: new Map(),
    owners: new Map(),
    contacts: { mailtrap: [], sendry: [], brevo: [], webhook: [] },
    events: { mailtrap: [], sendry: [], brevo: [], webhook: [] },
    changes: [],
    calls: [],
    exchanges: [],
    absences: [],
    outages: [],
    sends: [],
    sentAt: ({ arrivedAt }) => arrivedAt,
    answered: new Set(['7.0', '7.1']),
    ends: new Map(),
    optOuts: [],
    fullTurns: new Set(),
    appErrors: [],
    failures: [],
    lines: [],
    complaints: [],
    leftovers: [],
    tables: {},
    ...more,
  };
}

const exchange = (n: number, at: number, more: Partial<Exchange> = {}): Exchange => ({
  n,
  destination: 'mailtrap',
  method: 'PATCH',
  path: `/mailtrap/api/contacts/${encodeURIComponent(ANN)}`,
  body: '',
  sentAs: `7.${n}`,
  arrivedAt: at,
  fate: { do: 'pass' },
  forwardedAt: [at],
  status: 200,
  answeredAt: at + 1,
  ...more,
});

const change = (n: number, number: number, more: Partial<Change> = {}): Change => ({
  destination: 'mailtrap',
  kind: 'updated',
  contact: {
    id: 'i',
    address: ANN,
    status: 'subscribed',
    attributes: { N: number },
    lists: [],
    createdAt: 0,
    updatedAt: 0,
  },
  at: 0,
  exchange: n,
  arrival: 0,
  ...more,
});

test('older after newer is seen, and let pass where the request was held or its sender stopped, if something newer followed', () => {
  const exchanges = [exchange(0, 100), exchange(1, 200), exchange(2, 300)];
  const late = [change(0, 2), change(1, 1), change(2, 2)];
  expect(judgeOrder(evidence({ exchanges, changes: late.slice(0, 2) }))).toHaveLength(2);
  expect(judgeOrder(evidence({ exchanges, changes: late }))).toEqual([expect.stringContaining('was not held')]);
  const held = [exchanges[0]!, exchange(1, 200, { forwardedAt: [900] }), exchanges[2]!];
  expect(judgeOrder(evidence({ exchanges: held, changes: late }))).toEqual([]);
  expect(judgeOrder(evidence({ exchanges: held, changes: late.slice(0, 2) }))).toHaveLength(1);
  expect(judgeOrder(evidence({ exchanges, changes: late, absences: [{ pid: 7, from: 150, to: 190 }] }))).toEqual([]);
  expect(judgeOrder(evidence({ exchanges, changes: late, absences: [{ pid: 8, from: 150, to: 190 }] }))).toHaveLength(
    1,
  );
  // What a job writes while a request about another thing, or with another number, is at work is not that request's.
  const job = exchange(1, 200, {
    method: 'POST',
    path: '/mailtrap/api/contacts/imports',
    fate: { do: 'hold', ms: 9, cut: false },
  });
  for (const beside of [{ path: '/mailtrap/api/contacts/i/events' }, { body: '{"fields":{"N":2}}' }]) {
    const during = [exchanges[0]!, job, exchange(2, 300, { method: 'POST', ...beside })];
    const applied = [change(0, 2), change(2, 1), change(2, 2)];
    expect(judgeOrder(evidence({ exchanges: during, changes: applied }))).toEqual([]);
    expect(judgeOrder(evidence({ exchanges: [during[0]!, exchanges[1]!, during[2]!], changes: applied }))).toHaveLength(
      1,
    );
  }
  const stale = [change(0, 2), change(1, 1)];
  const left = { ...change(2, 1), contact: { ...change(2, 1).contact, status: 'unsubscribed' as const } };
  const no = [exchanges[0]!, held[1]!, exchange(2, 300, { body: '{"contact":{"unsubscribed":true}}' })];
  expect(judgeOrder(evidence({ exchanges: no, changes: [...stale, left] }))).toEqual([]);
  expect(judgeOrder(evidence({ exchanges: held, changes: [...stale, left] }))).not.toEqual([]);
  const back = [change(0, 2, { kind: 'deleted' }), change(1, 2)];
  expect(judgeOrder(evidence({ exchanges, changes: [change(0, 2), ...back] }))).not.toEqual([]);
});

test('a request that leaves while another worker waits for an earlier one about the same is seen', () => {
  const ends = new Map([
    ['7.0', 500],
    ['8.1', 700],
  ]);
  const met = { exchanges: [exchange(0, 100), exchange(1, 400, { sentAs: '8.1' })], ends };
  expect(judgeOverlap(evidence(met))).toEqual([expect.stringContaining('exchange 1 left while 0')]);
  const late = new Map([...ends, ['7.0', 1_900] as const]);
  expect(judgeOverlap(evidence({ ...met, ends: late }))).toEqual([]);
  expect(judgeOverlap(evidence({ ...met, absences: [{ pid: 7, from: 50, to: 90 }] }))).toEqual([]);
  expect(
    judgeOverlap(evidence({ ...met, exchanges: [exchange(0, 100), exchange(1, 600, { sentAs: '8.1' })] })),
  ).toEqual([]);
  // Two who have had the address both remove what is left of them.
  const removals = met.exchanges.map((each) => ({ ...each, method: 'DELETE' }));
  expect(judgeOverlap(evidence({ ...met, exchanges: removals }))).toEqual([]);
  expect(judgeOverlap(evidence({ ...met, exchanges: [removals[0]!, met.exchanges[1]!] }))).toHaveLength(1);
  const same = [exchange(0, 100), exchange(1, 400)];
  expect(
    judgeOverlap(
      evidence({
        exchanges: same,
        ends: new Map([
          ['7.0', 500],
          ['7.1', 700],
        ]),
      }),
    ),
  ).toEqual([]);
});

test('what a former owner of an address left is seen', () => {
  const shown = change(0, 5, { contact: { ...change(0, 5).contact, attributes: { N: 5, OWNER: 'u2' } } }).contact;
  const contacts = { mailtrap: [shown], sendry: [shown], brevo: [shown], webhook: [shown] };
  const history = { states: [], events: [], contacts: [{ key: 'u1', address: ANN, fields: '{}' }] };
  const mixed = { history, contacts, numbers: new Map([[ANN, 5]]) };
  expect(judgeContacts(evidence(mixed))).toEqual(Array(4).fill(expect.stringContaining('the owner "u2"')));
  expect(judgeContacts(evidence({ ...mixed, owners: new Map([[ANN, 'u2']]) }))).toEqual([]);
});

test('an event that is sent again after it was taken for certain is seen', () => {
  const body = '{"name":"order_placed","params":{"rev":5}}';
  const event = (n: number, at: number, more: Partial<Exchange> = {}): Exchange =>
    exchange(n, at, { method: 'POST', path: '/mailtrap/api/contacts/i/events', body, ...more });
  const again = [event(0, 100), event(1, 9_000)];
  expect(judgeEvents(evidence({ exchanges: again }))).toEqual([expect.stringContaining('sent again by 1')]);
  expect(judgeEvents(evidence({ exchanges: [event(0, 100, { fate: { do: 'mute' } }), again[1]!] }))).toEqual([]);
  expect(judgeEvents(evidence({ exchanges: again, absences: [{ pid: 7, from: 200, to: Infinity }] }))).toEqual([]);
  expect(judgeEvents(evidence({ exchanges: again, outages: [{ what: 'crash', from: 200, to: 300 }] }))).toEqual([]);
  expect(judgeEvents(evidence({ exchanges: again, answered: new Set(['7.1']) }))).toEqual([]);
  // Or by somebody else, who was stopped with it in their hands.
  const stopped = [again[0]!, event(1, 9_000, { sentAs: '8.1' })];
  expect(judgeEvents(evidence({ exchanges: stopped }))).toHaveLength(1);
  expect(judgeEvents(evidence({ exchanges: stopped, absences: [{ pid: 8, from: 50, to: 8_990 }] }))).toEqual([]);
});

test('a receiver of webhooks ends whoever else is at an address that it is told of', () => {
  const told = (n: number, id: string, version: number, address: string | null, type = 'contact.upserted') => ({
    n,
    at: n,
    destination: 'webhook',
    method: 'POST',
    path: '/',
    headers: { 'webhook-id': `m_${n}` },
    body: JSON.stringify({ type, data: { contact: { id, address, previous_addresses: [] }, version } }),
    status: 204,
    answerHeaders: {},
    answer: '',
    ms: 1,
    fault: null,
    exchange: n,
  });
  const exchanges = [0, 1, 2, 3].map((n) => exchange(n, n * 100, { destination: 'webhook' }));
  const late = [told(0, 'ann', 2, ANN), told(1, 'bob', 1, ANN), told(2, 'ann', 2, ANN)];
  expect(judgeOrder(evidence({ exchanges, calls: late }))).toHaveLength(2);
  exchanges[2] = exchange(2, 200, { destination: 'webhook', forwardedAt: [900] });
  expect(judgeOrder(evidence({ exchanges, calls: late }))).toEqual([expect.stringContaining('nothing newer followed')]);
  const ended = told(3, 'bob', 2, ANN, 'contact.deleted');
  expect(judgeOrder(evidence({ exchanges, calls: [...late, ended] }))).toEqual([]);
  const same = { ...late[2]!, headers: late[0]!.headers };
  expect(judgeOrder(evidence({ exchanges, calls: [late[0]!, late[1]!, same] }))).toEqual([]);
  const home = told(0, 'bob', 2, ANN);
  const taken = told(1, 'ann', 1, ANN);
  expect(judgeOrder(evidence({ exchanges, calls: [home, taken, told(3, 'bob', 2, ANN)] }))).not.toEqual([]);
  expect(judgeOrder(evidence({ exchanges, calls: [home, taken, told(3, 'bob', 2, null)] }))).toEqual([]);
  const older = [told(0, 'ann', 2, ANN, 'contact.deleted'), told(2, 'ann', 1, ANN)];
  expect(judgeOrder(evidence({ exchanges, calls: older }))).toEqual([expect.stringContaining('nothing newer')]);
  expect(judgeOrder(evidence({ exchanges, calls: [...older, told(3, 'bob', 1, ANN)] }))).toEqual([]);
  const moved = [told(0, 'ann', 2, 'ann@else.example'), told(1, 'bob', 1, ANN), told(2, 'ann', 2, 'ann@else.example')];
  expect(judgeOrder(evidence({ exchanges, calls: moved }))).toEqual([]);
});

test('one request more than a window takes is seen', () => {
  expect(mostIn([0, 1, 999, 1_000, 1_001], 1_000)).toBe(3);
  const sends = Array.from({ length: 51 }, (_, n) => ({
    id: `7.${n}`,
    at: n * 19,
    method: 'GET',
    path: '/sendry/v1/contacts',
  }));
  expect(judgeLimits(evidence({ sends: sends.slice(1) }))).toEqual([]);
  expect(judgeLimits(evidence({ sends }))).toEqual([expect.stringContaining('51 requests in 1000 ms')]);
});

test('an opt-out that is lifted is seen, unless it came when the request was on its way', () => {
  const out = change(0, 1, { contact: { ...change(0, 1).contact, status: 'unsubscribed' } });
  const exchanges = [exchange(0, 100), exchange(1, 5_000)];
  const optOut = { destination: 'mailtrap', address: ANN, contact: 'i' } as const;
  const lifted = { exchanges, changes: [out, change(1, 2)] };
  expect(judgeConsent(evidence({ ...lifted, optOuts: [{ ...optOut, at: 200 }] }))).toHaveLength(1);
  expect(judgeConsent(evidence({ ...lifted, optOuts: [{ ...optOut, at: 4_900 }] }))).toEqual([]);
  const away = { ...out, exchange: 0 };
  const elsewhere = change(1, 2, { contact: { ...change(1, 2).contact, address: 'ann@else.example' } });
  const no = [exchange(0, 100, { body: '{"contact":{"unsubscribed":true}}' }), exchanges[1]!];
  expect(judgeConsent(evidence({ exchanges: no, changes: [away, elsewhere] }))).toEqual([]);
  expect(judgeConsent(evidence({ exchanges: no, changes: [away, change(1, 2)] }))).toHaveLength(1);
  const back = [exchange(0, 100, { body: '{"contact":{"fields":{"N":1},"unsubscribed":true}}' }), exchanges[1]!];
  expect(judgeConsent(evidence({ exchanges: back, changes: [away, elsewhere] }))).toHaveLength(1);
  const says = [exchange(0, 1, { body: '{"contact":{"unsubscribed":false}}' })];
  expect(judgeConsent(evidence({ exchanges: says }))).toEqual([expect.stringContaining('subscribes')]);
});

test('personal data, stacks and workers that do not begin are seen in logs', () => {
  expect(judgeLogs(evidence({ lines: [`{"message":"sent ${ANN}"}`] }))).toHaveLength(1);
  expect(judgeLogs(evidence({ complaints: ['Error: x', '    at file:///x.js:1:1'] }))).toHaveLength(1);
  const failures = ['the worker ended at once (1): {"failed":"RC_DATABASE_UNREACHABLE"}'];
  expect(judgeLogs(evidence({ failures }))).toHaveLength(1);
  expect(judgeLogs(evidence({ failures, outages: [{ what: 'crash', from: 0, to: 1 }] }))).toEqual([]);
});

test('a run in which the machine kept a request for longer than the grace says nothing', () => {
  const kept = [exchange(0, 100, { forwardedAt: [5_000] })];
  expect(tooSlow(evidence({ exchanges: kept }))).toContain('4900 ms');
  expect(tooSlow(evidence({ exchanges: kept, absences: [{ pid: 7, from: 200, to: 4_000 }] }))).toBeUndefined();
});

test('a seed is one plan', () => {
  expect(showPlan(planOf(7))).toBe(showPlan(planOf(7)));
  expect(showPlan(planOf(7))).not.toBe(showPlan(planOf(8)));
});
