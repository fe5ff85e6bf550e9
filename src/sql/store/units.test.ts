import { LosslessNumber } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import type { Claimed, ClaimScope, Lease, Settlement } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import { claim } from './claim.ts';
import { settle } from './settle.ts';

const lease: Lease = { token: 't', leaseMs: 1, graceMs: 1 };
const identity = { configHash: '', projectRef: '', environment: '' };
const SCOPE: ClaimScope = {
  limits: [1, 1],
  bytes: 1,
  after: ['-infinity', '-infinity'],
  least: [0, 0],
  consents: [],
  liveWaitMs: 0,
};

const row = {
  contact_id: '7',
  version: '3',
  action: 'upsert',
  address: 'a@x.y',
  remote_address: null,
  remote_id: null,
  payload: '{}',
  consent: 'basis',
  carry_from: null,
  takeover: false,
  leftovers: null,
  delivered: false,
  tries: 0,
  due_at: 'now',
  send_state: true,
  events: '[]',
};

function database(rows: readonly object[], said: unknown[] = []): Queryable {
  return {
    query: async (_sql, values) => {
      said.push(...(values ?? []));
      return rows as never;
    },
  };
}

async function claimed(parts: object): Promise<Claimed> {
  const [first] = await claim(database([{ ...row, ...parts }]), identity, 1, lease, SCOPE);
  return first!;
}

async function settled(
  settlement: Partial<Settlement> & Pick<Settlement, 'delivery'>,
): Promise<Record<string, unknown>> {
  const said: unknown[] = [];
  await settle(database([], said), 1, lease, [{ outcome: undefined, waitMs: 0, latencyMs: 0, ...settlement }]);
  const [result] = JSON.parse(String(said[3])) as [Record<string, unknown>];
  return result;
}

describe('claim', () => {
  test('events keep their order and every digit', async () => {
    const events = `[{"id":"e2","name":"b","properties":{"n":9007199254740993},"at":"2026-05-06T07:08:09.123456Z"},
      {"id":"e1","name":"a","properties":{},"at":"2026-05-06T07:08:09.123457Z"}]`;
    expect((await claimed({ events })).events).toEqual([
      {
        id: 'e2',
        name: 'b',
        properties: { n: new LosslessNumber('9007199254740993') },
        at: '2026-05-06T07:08:09.123456Z',
      },
      { id: 'e1', name: 'a', properties: {}, at: '2026-05-06T07:08:09.123457Z' },
    ]);
  });

  test.each(['upsert', 'delete', 'unsubscribe'])('%s is passed on', async (action) => {
    expect(await claimed({ action, send_state: true })).toMatchObject({ action, sendState: true });
  });

  test('rows of an older function are a state alone', async () => {
    expect(await claimed({ send_state: undefined, events: undefined })).toMatchObject({ sendState: true, events: [] });
  });

  test('nothing is sent of a state that nobody wants any more, wherever the contact is', async () => {
    const parts = { action: 'none', remote_address: 'a@x.y', remote_id: 'i', address: null };
    expect(await claimed(parts)).toMatchObject({ action: 'delete', remote: null });
    expect(await claimed({ ...parts, send_state: false })).toMatchObject({ remote: { address: 'a@x.y', id: 'i' } });
  });

  test('an attempt of unknown outcome at the same address is still a first delivery, but events go there', async () => {
    const parts = { remote_address: 'a@x.y', delivered: false };
    expect((await claimed(parts)).remote).toBeNull();
    const remote = { address: 'a@x.y', id: null, leftovers: [] };
    expect((await claimed({ ...parts, send_state: false })).remote).toEqual(remote);
    expect((await claimed({ ...parts, delivered: true })).remote).toEqual(remote);
    expect((await claimed({ ...parts, action: 'unsubscribe', address: null })).remote).toEqual(remote);
    expect((await claimed({ leftovers: ['b@x.y'] })).remote).toEqual({ address: null, id: null, leftovers: ['b@x.y'] });
  });
});

describe('settle', () => {
  test('events alone say nothing of the state', async () => {
    const delivery = await claimed({ send_state: false, remote_address: 'a@x.y' });
    const message = 'half a \ud83d and a \0';
    const result = await settled({
      delivery,
      waitMs: 1_499.6,
      events: [
        { id: 'e1', outcome: { kind: 'delivered' }, latencyMs: 1.6 },
        { id: 'e2', outcome: { kind: 'reject', code: 'invalid_event', message }, latencyMs: 0 },
      ],
    });
    expect(result).toMatchObject({ contact: '7', version: '3', action: 'events', touched: 'a@x.y', wait_ms: 1_500 });
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(['outcome']));
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(['address']));
    expect(result['events']).toEqual([
      { id: 'e1', outcome: 'delivered', latency_ms: 2 },
      { id: 'e2', outcome: 'reject', code: 'invalid_event', message: 'half a \ufffd and a ', latency_ms: 0 },
    ]);
  });

  test('a state with events', async () => {
    const result = await settled({
      delivery: await claimed({}),
      outcome: { kind: 'delivered', remoteId: 'i' },
      latencyMs: 5,
      events: [{ id: 'e1', outcome: { kind: 'retry', code: 'contact_missing', message: '' }, latencyMs: 1 }],
    });
    expect(result).toMatchObject({
      action: 'upsert',
      outcome: 'delivered',
      remote_id: 'i',
      address: 'a@x.y',
      latency_ms: 5,
    });
    expect(result['events']).toMatchObject([{ id: 'e1', outcome: 'retry', code: 'contact_missing' }]);
  });
});
