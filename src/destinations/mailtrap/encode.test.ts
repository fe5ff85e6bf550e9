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
  action: fc.constantFrom('upsert', 'delete'),
  address: fc.option(anyText),
  remote: anyRemote,
  attributes: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>,
  takeover: fc.boolean(),
  consent: fc.constantFrom('basis', 'none', 'opted_out'),
});
const anyPlan = fc.dictionary(fc.string(), anyType);
const anyOptions = fc.record({
  account_id: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
  list_policy: fc.constantFrom('once', 'keep'),
  clear_as: fc.constantFrom(null, 'empty'),
});

describe('encode, whatever the delivery', () => {
  test('no body ever says subscribed, and no list membership is replaced', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyOptions, (each, plan, options) => {
        const chosen = mailtrap.config.parse({ api_token: 'tok', lists: [3], ...options });
        for (const { body } of mailtrap.encode(each, plan, chosen)) {
          if (body === null) continue;
          const contact = body['contact'] as JsonObject;
          expect(['email', 'fields', 'list_ids_included', 'unsubscribed']).toEqual(
            expect.arrayContaining(Object.keys(contact)),
          );
          if ('unsubscribed' in contact) expect(contact['unsubscribed']).toBe(true);
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
        else if (known && !moves) expect(says).toBe(false);
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
          expect(operation.kind).toBe(each.action === 'upsert' && index === 0 ? 'upsert' : 'delete');
        });
        if (each.action === 'delete') return;
        const deleted = operations.slice(1).map(({ path }) => path.toLowerCase());
        const [own] = mailtrap.encode({ ...each, remote: null }, plan, config);
        expect(deleted).not.toContain(own?.path.toLowerCase());
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
