import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Delivery, RemoteContact } from '../../core/destination.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import { sendry } from './index.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.emailAddress(),
  fc.constantFrom('.', '..', '', 'a/b@x.y', '../../x@y', '%2e%2e/x', '\ud800', 'a?b#c@x.y', '__proto__', '{id}'),
);
const anyRemote: fc.Arbitrary<RemoteContact | null> = fc.option(
  fc.record({
    id: fc.option(anyText),
    address: fc.option(anyText),
    subscription: fc.constantFrom('subscribed', 'unsubscribed', undefined),
    leftovers: fc.oneof(fc.constant(undefined), fc.array(anyText, { maxLength: 3 })),
    imported: fc.constantFrom(true, undefined),
    met: fc.constantFrom(true, undefined),
  }),
);
const anyDelivery: fc.Arbitrary<Delivery> = fc.record({
  contactId: fc.constant('1'),
  version: fc.constant('1'),
  action: fc.constantFrom('upsert', 'delete', 'unsubscribe'),
  address: fc.option(anyText),
  remote: anyRemote,
  attributes: fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('first_name', 'last_name', 'unsubscribed', 'subscribed', 'email')),
    fc.jsonValue(),
  ) as fc.Arbitrary<JsonObject>,
  takeover: fc.boolean(),
  consent: fc.constantFrom('basis', 'none', 'opted_out', 'opted_in'),
});
const anyType = fc.constantFrom<AttributeType>('text', 'integer', 'float', 'boolean', 'date', 'timestamp', 'json');
const anyPlan = fc.dictionary(fc.string(), anyType);
const anyConfig = fc
  .record({
    audience_id: fc.constantFrom('aud_1', undefined),
    dialect: fc.constantFrom('docs', 'sdk'),
    attributes_as: fc.constantFrom('metadata', 'properties', 'both'),
    upsert_keeps_unsubscribed: fc.boolean(),
  })
  .map((options) => sendry.config.parse({ api_key: 'k', ...options }));

const TOP = ['email', 'first_name', 'last_name', 'metadata', 'properties', 'audience_id', 'unsubscribed'];

describe('encode, whatever the delivery', () => {
  test('no body says subscribed but for an opt-in, whatever an attribute is called', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyConfig, (each, plan, config) => {
        for (const { body, path } of sendry.encode(each, plan, config)) {
          if (body === null || path.startsWith('/v1/audiences/')) continue;
          expect(TOP).toEqual(expect.arrayContaining(Object.keys(body)));
          const optsIn = each.action === 'upsert' && each.consent === 'opted_in';
          if ('unsubscribed' in body) expect(body['unsubscribed']).toBe(!optsIn);
        }
        const row = sendry.bulk!.row(each, plan, config);
        expect(Object.keys(row)).not.toContain('unsubscribed');
        expect(row['email']).toBe(each.address ?? '');
      }),
    );
  });

  test('what may create a contact, or changes its address, carries a missing opt-in and a known opt-out', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyConfig, (each, plan, config) => {
        const write = sendry
          .encode(each, plan, config)
          .find(({ kind, path }) => kind === 'upsert' && path.startsWith('/v1/contacts'));
        if (write === undefined) return;
        const says = write.body?.['unsubscribed'] === true;
        const known = (each.remote?.id ?? '') !== '';
        const moves = each.remote?.address?.toLowerCase() !== each.address?.toLowerCase();
        if (each.consent === 'opted_out') expect(says).toBe(true);
        else if (each.consent === 'opted_in' || (known && !moves)) expect(says).toBe(false);
        else if (known && each.remote?.subscription === 'subscribed') expect(says).toBe(false);
        else expect(says).toBe(each.consent === 'none' || each.remote?.subscription === 'unsubscribed');
        // Nobody joins an audience ahead of their opt-out.
        if (says && known) expect(sendry.encode(each, plan, config)[0]).toEqual(write);
      }),
    );
  });

  test('a request stays on its contact: one encoded segment below the collection', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyConfig, (each, plan, config) => {
        for (const operation of sendry.encode(each, plan, config)) {
          const path = operation.find === undefined ? operation.path : operation.path.replace('{id}', 'x');
          const { url } = sendry.request([{ ...operation, path }], config);
          const parsed = new URL(url);
          expect(parsed.origin + parsed.pathname).toBe(url);
          expect(parsed.pathname).toMatch(/^\/v1\/(?:contacts(?:\/[^/]+)?|audiences\/aud_1\/contacts)$/);
        }
      }),
    );
  });

  test('no delete hits the address the upsert was for, and only ids are deleted', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyConfig, (each, plan, config) => {
        const deletes = sendry.encode(each, plan, config).filter(({ kind }) => kind === 'delete');
        for (const { path, find, method } of deletes) {
          expect(method).toBe('DELETE');
          expect(path === '/v1/contacts/{id}').toBe(find !== undefined);
          if (each.action === 'upsert') expect(find?.toLowerCase()).not.toBe(each.address?.toLowerCase());
        }
        expect(new Set(deletes.map(({ find }) => find)).size).toBe(deletes.length);
      }),
    );
  });

  test('who left is opted out where they are known and nowhere else, and nothing else is said', () => {
    fc.assert(
      fc.property(anyDelivery, anyPlan, anyConfig, (each, plan, config) => {
        const operations = sendry.encode({ ...each, action: 'unsubscribe' }, plan, config);
        const said = operations.filter(({ kind }) => kind === 'unsubscribe');
        expect(said).toHaveLength(each.remote?.id || each.remote?.address ? 1 : 0);
        for (const { body } of said) expect(body).toEqual({ unsubscribed: true });
      }),
    );
  });
});

test('a first delivery has no names to clear, a later one has', () => {
  const config = sendry.config.parse({ api_key: 'k', upsert_keeps_unsubscribed: true });
  const delivery = { contactId: '1', version: '1', action: 'upsert', address: 'a@x.y', consent: 'basis' } as const;
  const body = (remote: RemoteContact | null, takeover: boolean): JsonObject | null | undefined =>
    sendry.encode({ ...delivery, remote, takeover, attributes: { last_name: null } }, { first_name: 'text' }, config)[0]
      ?.body;
  expect(body(null, false)).toEqual({ email: 'a@x.y' });
  expect(body({ id: null, address: 'a@x.y' }, false)).toEqual({ email: 'a@x.y', last_name: null });
  expect(body(null, true)).toEqual({ email: 'a@x.y', first_name: null, last_name: null });
});

test('a request carries one operation', () => {
  const config = sendry.config.parse({ api_key: 'k' });
  expect(() => sendry.request([], config)).toThrow(RangeError);
});
