import * as fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import type { Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import { mailtrap } from './index.ts';

const config = mailtrap.config.parse({ api_token: 'tok', lists: [3] });

function delivery(parts: Partial<Delivery>): Delivery {
  return {
    contactId: '1',
    version: '1',
    action: 'upsert',
    address: 'a@x.y',
    remote: null,
    attributes: {},
    takeover: false,
    consent: 'basis',
    ...parts,
  };
}

function contactIn(operation: Operation | undefined): JsonObject {
  return (operation?.body?.['contact'] ?? {}) as JsonObject;
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.emailAddress(),
  fc.constantFrom('.', '..', '', 'a/b@x.y', '../../x@y', '%2e%2e/x', '\ud800', 'a?b#c@x.y', '__proto__'),
);
const anyRemote: fc.Arbitrary<RemoteContact | null> = fc.option(
  fc.record({
    id: fc.option(fc.oneof(fc.uuid(), anyText)),
    address: fc.option(anyText),
    subscription: fc.constantFrom('subscribed', 'unsubscribed', undefined),
    leftovers: fc.oneof(fc.constant(undefined), fc.array(anyText, { maxLength: 3 })),
  }),
);
const anyType = fc.constantFrom<AttributeType>('text', 'integer', 'float', 'boolean', 'date', 'timestamp', 'json');
const anyDelivery = fc.record({
  contactId: fc.constant('1'),
  version: fc.constant('1'),
  action: fc.constantFrom('upsert', 'delete', 'unsubscribe'),
  address: fc.option(anyText),
  remote: anyRemote,
  attributes: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>,
  takeover: fc.boolean(),
  consent: fc.constantFrom('basis', 'none', 'opted_out', 'opted_in'),
});
const anyPlan = fc.dictionary(fc.string(), anyType);
const anyOptions = fc.record({
  account_id: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  list_policy: fc.constantFrom('once', 'keep'),
  clear_as: fc.constantFrom(null, 'empty'),
});

describe('encode, whatever the delivery', () => {
  test('no body says subscribed but for an opt-in, and no list membership is replaced', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyOptions, (each, plan, options) => {
        const chosen = mailtrap.config.parse({ api_token: 'tok', lists: [3], ...options });
        for (const { body } of mailtrap.encode(each, plan, chosen)) {
          if (body === null) continue;
          const contact = body['contact'] as JsonObject;
          expect(['email', 'fields', 'list_ids_included', 'unsubscribed']).toEqual(
            expect.arrayContaining(Object.keys(contact)),
          );
          const optsIn = each.action === 'upsert' && each.consent === 'opted_in';
          if (optsIn) expect(contact['unsubscribed']).toBe(false);
          else if ('unsubscribed' in contact) expect(contact['unsubscribed']).toBe(true);
        }
      }),
    );
  });

  test('what may create a contact, or changes its address, carries a missing opt-in and a known opt-out', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, (each, plan) => {
        const [first] = mailtrap.encode(each, plan, config);
        if (first?.kind !== 'upsert') return;
        const says = contactIn(first)['unsubscribed'] === true;
        const known = each.remote?.id !== null && each.remote?.id !== undefined && each.remote.id !== '';
        const moves = each.remote?.address?.toLowerCase() !== each.address?.toLowerCase();
        if (each.consent === 'opted_out') expect(says).toBe(true);
        else if (each.consent === 'opted_in' || (known && !moves)) expect(says).toBe(false);
        // Who opted in at the destination and only moves is left alone.
        else if (known && each.remote?.subscription === 'subscribed') expect(says).toBe(false);
        else expect(says).toBe(each.consent === 'none' || each.remote?.subscription === 'unsubscribed');
      }),
    );
  });

  test('a request always stays on its contact: one encoded segment below the collection', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, (each, plan) => {
        for (const operation of mailtrap.encode(each, plan, config)) {
          const { url } = mailtrap.request([operation], config);
          const parsed = new URL(url);
          expect(parsed.origin + parsed.pathname).toBe(url);
          expect(parsed.pathname).toMatch(/^\/api\/contacts\/[^/]+$/);
        }
      }),
    );
  });

  test('the upsert comes first, and no delete hits the address it was for', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, (each, plan) => {
        const operations = mailtrap.encode(each, plan, config);
        operations.forEach((operation, index) => {
          const first = each.action === 'unsubscribe' && operation.method === 'DELETE' ? 'delete' : each.action;
          expect(operation.kind).toBe(index === 0 ? first : 'delete');
        });
        if (each.action !== 'upsert') return;
        const deleted = operations.slice(1).map(({ path }) => path.toLowerCase());
        const [own] = mailtrap.encode({ ...each, remote: null }, plan, config);
        expect(deleted).not.toContain(own?.path.toLowerCase());
      }),
    );
  });

  test('who left is opted out where they are known and nowhere else, and nothing else is said', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, (each, plan) => {
        const operations = mailtrap.encode({ ...each, action: 'unsubscribe' }, plan, config);
        const known = each.remote?.id || each.remote?.address;
        const said = operations.filter(({ kind }) => kind === 'unsubscribe');
        expect(said).toHaveLength(known ? 1 : 0);
        if (said.length === 0) return;
        const { email, ...rest } = contactIn(said[0]);
        expect(rest).toEqual({ unsubscribed: true });
        expect(email).toBe(each.remote?.address || undefined);
        // What is kept is not removed again.
        const [own] = mailtrap.encode(
          { ...each, action: 'delete', remote: { address: known!, id: null } },
          plan,
          config,
        );
        if (!each.remote?.id)
          expect(operations.slice(1).map(({ path }) => path.toLowerCase())).not.toContain(own!.path.toLowerCase());
      }),
    );
  });

  test('an event stays on its contact, and its parameters are flat', () => {
    const anyEvent = fc.record({
      id: fc.uuid(),
      at: fc.constant('2026-05-06T07:08:09.123456Z'),
      name: fc.string(),
      properties: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>,
    });
    const somebody = fc
      .record({ id: fc.option(anyText), address: fc.option(anyText) })
      .filter(({ id, address }) => (id ?? '') !== '' || (address ?? '') !== '');
    fc.assert(
      fc.property(anyEvent, somebody, (event, remote) => {
        const { url, body, method } = mailtrap.request([mailtrap.encodeEvent!(event, remote, config)], config);
        const parsed = new URL(url);
        expect(parsed.origin + parsed.pathname).toBe(url);
        expect(parsed.pathname).toMatch(/^\/api\/contacts\/[^/]+\/events$/);
        expect(method).toBe('POST');
        const { name, params, ...rest } = JSON.parse(body!) as { name: string; params: object };
        expect([name, rest]).toEqual([event.name, {}]);
        expect(Object.keys(params).toSorted()).toEqual(Object.keys(event.properties).toSorted());
        for (const value of Object.values(params)) expect(value === null || typeof value !== 'object').toBe(true);
      }),
    );
  });

  test('a refused address change ends: once the id is forgotten, path and body name the same address', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, fc.emailAddress(), (each, plan, address) => {
        const remote = each.remote === null ? null : { ...each.remote, id: null };
        const [first] = mailtrap.encode({ ...each, action: 'upsert', address, remote }, plan, config);
        expect(first?.path).toBe(`/api/contacts/${encodeURIComponent(address)}`);
        expect(contactIn(first)['email']).toBe(address);
      }),
    );
  });
});

describe('encode', () => {
  test('exact numbers leave digit for digit', () => {
    const [operation] = mailtrap.encode(
      delivery({ attributes: { N: new LosslessNumber('9007199254740993'), T: new LosslessNumber('1.10') } }),
      { N: 'integer', T: 'text' },
      config,
    );
    expect(mailtrap.request([operation!], config).body).toContain('"N":9007199254740993,"T":"1.10"');
  });

  test('an event’s numbers leave digit for digit, objects and arrays as JSON text', () => {
    const properties = {
      N: new LosslessNumber('9007199254740993'),
      D: new LosslessNumber('0.1234567890123456789'),
      J: [{ n: new LosslessNumber('9007199254740995') }],
      E: {},
      X: null,
    };
    const event = { id: '1', at: '2026-05-06T07:08:09.123456Z', name: 'order_placed', properties };
    const operation = mailtrap.encodeEvent!(event, { id: null, address: 'a@x.y' }, config);
    expect(mailtrap.request([operation], config).body).toBe(
      '{"name":"order_placed","params":{"N":9007199254740993,"D":0.1234567890123456789,"J":"[{\\"n\\":9007199254740995}]","E":"{}","X":null}}',
    );
  });

  test('a value that is no ISO date is left for the vendor to judge', () => {
    const [operation] = mailtrap.encode(delivery({ attributes: { D: 'infinity' } }), { D: 'timestamp' }, config);
    expect(operation?.body).toMatchObject({ contact: { fields: { D: 'infinity' } } });
  });

  test('a case-only address change is no address change for consent, and deletes nothing', () => {
    const operations = mailtrap.encode(
      delivery({ address: 'A@x.y', consent: 'none', remote: { id: 'i', address: 'a@x.y', leftovers: ['a@X.y'] } }),
      {},
      config,
    );
    expect(operations).toHaveLength(1);
    expect(operations[0]?.body).toEqual({ contact: { email: 'A@x.y' } });
  });

  test('an upsert without an address has nothing to say', () => {
    expect(mailtrap.encode(delivery({ address: null }), {}, config)).toEqual([]);
  });

  test('leftovers are deleted with the contact', () => {
    const operations = mailtrap.encode(
      delivery({ action: 'delete', address: null, remote: { id: 'i', address: 'a@x.y', leftovers: ['b@x.y'] } }),
      {},
      config,
    );
    expect(operations.map(({ path }) => path)).toEqual(['/api/contacts/i', '/api/contacts/b%40x.y']);
  });

  test('a list name that was never looked up is our mistake, said aloud', () => {
    const named = mailtrap.config.parse({ api_token: 'tok', lists: ['News'] });
    expect(() => mailtrap.encode(delivery({}), {}, named)).toThrow(
      expect.objectContaining({ code: 'RC_LIST_UNRESOLVED' }),
    );
  });
});
