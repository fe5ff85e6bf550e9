import { describe, expect, test } from 'vitest';
import type { ContactEvent, Delivery, Operation } from '../../core/destination.ts';
import { isJsonObject, parseJson } from '../../core/json.ts';
import { webhook } from './index.ts';

const config = webhook.config.parse({ url: 'https://x.example/hook', secret: `whsec_${btoa('a'.repeat(32))}` });
const origin = { id: 'aaaa-1', epoch: 1_000_000 };
const upsert: Delivery = {
  contactId: '42',
  version: '7',
  action: 'upsert',
  address: 'a@x.y',
  remote: null,
  attributes: { NAME: 'Ann' },
  takeover: false,
  consent: 'basis',
  origin,
};

function one(delivery: Delivery): Operation {
  const [operation, ...more] = webhook.encode(delivery, { NAME: 'text', PLAN: 'text' }, config);
  if (operation === undefined || more.length > 0) throw new Error('expected one message');
  return operation;
}

describe('webhook-id', () => {
  const ids = (deliveries: readonly Delivery[]): readonly string[] =>
    deliveries.map((delivery) => webhook.request([one(delivery)], config).headers['webhook-id'] ?? '');

  test('is the same for each attempt at a version, whatever was learned in between', () => {
    const attempts = [upsert, { ...upsert, remote: { id: null, address: 'a@x.y' } }, { ...upsert, takeover: true }];
    expect(new Set(ids(attempts)).size).toBe(1);
  });

  test('A, B and A again are three messages', () => {
    const three = ['7', '8', '9'].map((version, n) => ({
      ...upsert,
      version,
      attributes: { NAME: n === 1 ? 'B' : 'A' },
    }));
    expect(new Set(ids(three)).size).toBe(3);
  });

  test('what was accepted and is said once more is a message of its own, the same for each attempt', () => {
    const again = { ...upsert, again: true, remote: { id: 'c_1', address: 'a@x.y' } };
    expect(new Set(ids([upsert, again])).size).toBe(2);
    expect(new Set(ids([again, again])).size).toBe(1);
  });

  test('another install, destination, epoch or contact has another', () => {
    const others = [
      upsert,
      { ...upsert, origin: { ...origin, id: 'aaaa-2' } },
      { ...upsert, origin: { ...origin, id: 'bbbb-1' } },
      { ...upsert, origin: { ...origin, epoch: 1_000_001 } },
      { ...upsert, contactId: '427', version: '' },
      { ...upsert, contactId: '43' },
    ];
    expect(new Set(ids(others)).size).toBe(others.length);
  });

  test('holds no full stop, which would let an id and a time be read otherwise', () => {
    const real = { ...upsert, origin: { id: '018f2c5e-7c1a-4c53-9d5e-6f0a4f1b2c3d-12', epoch: 1_763_694_231_123 } };
    for (const id of ids([real])) expect(id).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
  });

  test('a delivery of nobody’s numbers is a mistake of ours, not a message', () => {
    expect(() => one({ ...upsert, origin: undefined })).toThrow(TypeError);
  });
});

describe('the contact', () => {
  const contactOf = (operation: Operation): unknown => {
    const data = operation.body?.['data'];
    return isJsonObject(data) ? data['contact'] : undefined;
  };

  test('keeps the id that was told, also in another epoch and at another address', () => {
    const [told] = webhook.interpret({ status: 204, headers: {}, body: '' }, [one(upsert)]);
    if (told?.kind !== 'delivered' || told.remoteId === undefined) throw new Error('expected an id');
    const later: Delivery = {
      ...upsert,
      version: '9',
      address: 'b@x.y',
      remote: { id: told.remoteId, address: 'a@x.y' },
      origin: { ...origin, epoch: origin.epoch + 1 },
    };
    expect(contactOf(one(later))).toMatchObject({ id: told.remoteId, address: 'b@x.y', previous_addresses: ['a@x.y'] });
    expect(contactOf(one({ ...later, action: 'delete', address: null }))).toEqual({
      id: told.remoteId,
      address: 'a@x.y',
      previous_addresses: [],
    });
    expect(contactOf(one({ ...later, action: 'unsubscribe', address: null }))).toEqual({
      id: told.remoteId,
      address: 'a@x.y',
      previous_addresses: [],
      consent: 'opted_out',
    });
  });

  test('has the attributes that are said, and null for all others where the address was another person’s', () => {
    expect(contactOf(one(upsert))).toHaveProperty('attributes', { NAME: 'Ann' });
    expect(contactOf(one({ ...upsert, takeover: true }))).toHaveProperty('attributes', { NAME: 'Ann', PLAN: null });
  });

  test('names every address that was left, each once', () => {
    const moved = { id: 'c_1', address: 'b@x.y', leftovers: ['c@x.y', 'b@x.y', 'a@x.y', ''] };
    expect(contactOf(one({ ...upsert, remote: moved }))).toHaveProperty('previous_addresses', ['b@x.y', 'c@x.y']);
    expect(contactOf(one({ ...upsert, remote: moved, action: 'delete', address: null }))).toEqual({
      id: 'c_1',
      address: 'b@x.y',
      previous_addresses: ['c@x.y', 'a@x.y'],
    });
  });

  test.each(['basis', 'none', 'opted_out', 'opted_in'] as const)('%s is told as it is', (consent) => {
    expect(contactOf(one({ ...upsert, consent }))).toMatchObject({ consent });
    expect(JSON.stringify(one({ ...upsert, consent }))).not.toContain('"subscribed"');
  });

  test('that was never told of is not told to be gone', () => {
    for (const action of ['delete', 'unsubscribe'] as const) {
      expect(webhook.encode({ ...upsert, action, address: null }, {}, config)).toEqual([]);
    }
    expect(webhook.encode({ ...upsert, address: null }, {}, config)).toEqual([]);
  });

  test('of whom an attempt got no answer is told to be gone by the id of that attempt', () => {
    const gone: Delivery = { ...upsert, action: 'delete', address: null, remote: { id: null, address: 'a@x.y' } };
    const id = (contactOf(one(upsert)) as { id: string }).id;
    expect(contactOf(one({ ...gone, version: '8' }))).toEqual({ id, address: 'a@x.y', previous_addresses: [] });
  });
});

describe('an event', () => {
  const event: ContactEvent = {
    id: '018f2c5e-7c1a-5c53-9d5e-6f0a4f1b2c3d',
    name: 'order placed',
    properties: parseJson('{"id": 9007199254740993, "total": 10.25}') as ContactEvent['properties'],
    at: '2026-05-06T07:08:09.123456Z',
  };

  test('is the same message wherever its contact has moved', () => {
    const [here, there] = ['a@x.y', 'b@x.y'].map((address) =>
      webhook.request([webhook.encodeEvent!(event, { id: 'c_1', address }, config)], config),
    );
    expect(here?.headers['webhook-id']).toBe(`e_${event.id}`);
    expect(there?.headers['webhook-id']).toBe(`e_${event.id}`);
  });

  test('says when it happened, and numbers digit for digit', () => {
    const { body } = webhook.request([webhook.encodeEvent!(event, { id: 'c_1', address: 'a@x.y' }, config)], config);
    expect(body).toBe(
      '{"type":"event.order placed","timestamp":"2026-05-06T07:08:09.123456Z","data":{"event":{"id":"018f2c5e-7c1a-5c53-9d5e-6f0a4f1b2c3d","name":"order placed","properties":{"id":9007199254740993,"total":10.25},"occurred_at":"2026-05-06T07:08:09.123456Z"},"contact":{"id":"c_1","address":"a@x.y"}}}',
    );
  });
});

test('a request is one message, and holds no secret', () => {
  const request = webhook.request([one(upsert)], config);
  expect(request).toMatchObject({ method: 'POST', url: 'https://x.example/hook', allowPrivate: false });
  expect(JSON.stringify(request)).not.toContain('whsec_');
  expect(() => webhook.request([one(upsert), one(upsert)], config)).toThrow(RangeError);
});
