import { describe, expect, test } from 'vitest';
import type { ContactEvent, Delivery, Destination, HttpRequest, RemoteContact } from '../core/destination.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { delivery } from '../testing/delivery.ts';
import { perform } from './perform.ts';
import type { Claimed } from './ports.ts';

let lastEncoded: Delivery | undefined;

const PEOPLE = new Map([
  ['ann@x.y', { id: 'a/1', subscription: 'unsubscribed' as const }],
  ['bob@x.y', { id: 'b2', subscription: 'subscribed' as const }],
]);

/** A vendor that deletes by id alone, and takes three events of a contact at once. */
const vendor: Destination<unknown> = {
  ...(mailtrap as unknown as Destination<unknown>),
  id: 'vendor',
  name: 'Vendor',
  limits: () => ({ buckets: [], concurrency: 1, bytesPerRequest: 120 }),
  auth: () => ({ header: 'x', value: 'x' }),
  looksFirst: () => true,
  lookup: ({ address }) => ({
    request: { method: 'GET', url: `/find/${address}`, headers: {}, body: null },
    interpret: ({ status }) =>
      status === 200
        ? { ok: true, value: found(address) }
        : { ok: false, outcome: { kind: 'retry', code: `http_${status}`, message: 'no' } },
  }),
  encode: (delivery) => {
    lastEncoded = delivery;
    const { action, address, remote } = delivery;
    const find = remote?.id == null ? (remote?.address ?? undefined) : undefined;
    const path = `/${remote?.id ?? (find === undefined ? 'new' : '{id}')}`;
    const body = { address, subscription: remote?.subscription ?? null, met: remote?.met ?? false };
    if (action === 'upsert') return [{ kind: 'upsert', method: 'PATCH', path, body, batchKey: null }];
    return [{ kind: 'delete', method: 'DELETE', path, body: null, batchKey: null, find }];
  },
  encodeEvent: ({ id, name }) => ({
    kind: 'event',
    method: 'POST',
    path: '/events',
    body: { id, name },
    batchKey: name === 'alone' ? null : 'events',
  }),
  eventLimits: { name: 9, property: 9, perRequest: 3 },
  request: (batch) => ({
    method: batch[0]!.method,
    url: batch[0]!.path,
    headers: {},
    body: batch[0]!.kind === 'delete' ? null : JSON.stringify(batch.map(({ body }) => body)),
  }),
  interpret: ({ status, body }, batch) =>
    batch.map((_, n) => {
      const own = status === 207 ? Number(JSON.parse(body)[n]) : status;
      return own < 300
        ? { kind: 'delivered' }
        : { kind: own === 500 ? 'retry' : 'reject', code: `http_${own}`, message: '' };
    }),
};

function found(address: string | null): RemoteContact | null {
  const person = PEOPLE.get(address ?? '');
  return person === undefined ? null : { address, ...person };
}

async function run(parts: Partial<Claimed>, answers: readonly (number | readonly number[])[] = []) {
  const sent: string[] = [];
  const left = [...answers];
  const traffic: string[] = [];
  const performed = await perform(delivery({ address: 'new@x.y', ...parts }), {
    destination: vendor,
    config: {},
    plan: {},
    bytesPerRequest: vendor.limits({}).bytesPerRequest,
    eventsAtMostOnce: false,
    deadlineMs: () => 1_000,
    permit: async (_which, of) => traffic.push(of) > 0,
    onMistake: (error) => {
      throw error;
    },
    send: async ({ method, url, body }: HttpRequest) => {
      sent.push([method, url, body ?? ''].join(' ').trim());
      const answer = left.shift() ?? 200;
      const status = typeof answer === 'number' ? answer : 207;
      return { answered: true, response: { status, headers: {}, body: JSON.stringify(answer) }, latencyMs: 1 };
    },
  });
  if (!performed.begun) throw new Error('not begun');
  const events = performed.events.map(({ id, outcome }) => `${id} ${outcome.kind}`);
  const state = performed.state?.outcome;
  return { sent, traffic, encoded: lastEncoded, state, events, stopped: performed.stopped?.outcome };
}

function event(id: string, name = 'some'): ContactEvent {
  return { id, name, properties: {}, at: '2026-05-06T07:08:09.123456Z' };
}

describe('a contact that only its id names', () => {
  test('is looked up by its address, and its id is encoded', async () => {
    const { sent, traffic, state } = await run({
      action: 'delete',
      address: null,
      remote: { id: null, address: 'ann@x.y' },
    });
    expect(sent).toEqual(['GET /find/ann@x.y', 'DELETE /a%2F1']);
    expect(traffic).toEqual(['read', 'contact']);
    expect(state).toEqual({ kind: 'delivered' });
  });

  test('that is not there is deleted already', async () => {
    const { sent, state } = await run({ action: 'delete', address: null, remote: { id: null, address: 'no@x.y' } });
    expect([sent, state]).toEqual([['GET /find/no@x.y'], { kind: 'delivered' }]);
  });

  test('and cannot be looked up is tried again', async () => {
    const gone = { action: 'delete', address: null, remote: { id: null, address: 'ann@x.y' } } as const;
    expect((await run(gone, [500])).state).toMatchObject({ kind: 'retry', code: 'http_500' });
  });
});

describe('a stranger, where an upsert could undo an opt-out', () => {
  test('who is there is updated as who they are, opted out or not', async () => {
    const { sent } = await run({ address: 'ann@x.y' });
    expect(sent).toEqual([
      'GET /find/ann@x.y',
      'PATCH /a/1 [{"address":"ann@x.y","subscription":"unsubscribed","met":true}]',
    ]);
  });

  test('who is not there is created; who is known is not looked up', async () => {
    expect((await run({})).sent[1]).toContain('PATCH /new');
    expect((await run({ remote: { id: 'b2', address: 'new@x.y' } })).sent).toHaveLength(1);
  });

  test('who said no is looked up too: not every vendor lets a contact be created twice', async () => {
    expect((await run({ address: 'bob@x.y', consent: 'opted_out' })).sent[0]).toBe('GET /find/bob@x.y');
  });

  test('who moves without an id brings an opt-out along, and what stands under the old address is left over', async () => {
    const remote = { id: null, address: 'ann@x.y', leftovers: ['older@x.y'] };
    const moved = await run({ address: 'new@x.y', remote });
    expect(moved.sent).toEqual([
      'GET /find/ann@x.y',
      'GET /find/new@x.y',
      'PATCH /{id} [{"address":"new@x.y","subscription":"unsubscribed","met":false}]',
    ]);
    const met = await run({ address: 'bob@x.y', remote });
    expect(met.sent.slice(0, 2)).toEqual(['GET /find/ann@x.y', 'GET /find/bob@x.y']);
    expect(met.encoded).toMatchObject({
      consent: 'opted_out',
      remote: { id: 'b2', address: 'bob@x.y', leftovers: ['ann@x.y', 'older@x.y'], met: true },
    });
  });
});

describe('events of one contact', () => {
  const inStep = { sendState: false, remote: { id: 'b2', address: 'bob@x.y' } } as const;

  test('go together up to the limit, in order, each with its own outcome', async () => {
    const events = ['1', '2', '3', '4'].map((id) => event(id));
    const { sent, events: done, stopped } = await run({ ...inStep, events: events.slice(1) }, [[200, 422, 200]]);
    expect(sent).toHaveLength(1);
    expect(done).toEqual(['2 delivered', '3 reject', '4 delivered']);
    expect(stopped).toBeUndefined();
  });

  test('stop after the request in which one must be tried again', async () => {
    const events = ['1', '2', '3', '4'].map((id) => event(id, 'x'));
    const { events: done, stopped } = await run({ ...inStep, events }, [[200, 500, 200]]);
    expect(done).toEqual(['1 delivered', '2 retry', '3 delivered']);
    expect(stopped).toMatchObject({ kind: 'retry' });
  });

  test('without a key to share go alone', async () => {
    const { sent } = await run({ ...inStep, events: [event('1'), event('2', 'alone'), event('3')] });
    expect(sent).toHaveLength(3);
  });

  test('too large together are sent one by one; too large alone is refused with its size', async () => {
    const long = event('long', 'x'.repeat(25));
    const { sent, events, stopped } = await run({
      ...inStep,
      events: [long, event('huge', 'é'.repeat(60)), event('3')],
    });
    expect(sent).toHaveLength(2);
    expect(events).toEqual(['long delivered', 'huge reject', '3 delivered']);
    expect(stopped).toBeUndefined();
  });
});

test('a contact that is too large is refused before anything is sent', async () => {
  const { sent, state } = await run({ address: `${'x'.repeat(120)}@x.y`, remote: { id: 'b2', address: null } });
  expect(sent).toEqual([]);
  expect(state).toMatchObject({ kind: 'reject', code: 'too_large', message: expect.stringContaining('at most 120') });
});
