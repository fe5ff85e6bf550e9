import fc from 'fast-check';
import type { AttributePlan, ContactEvent, Delivery, RemoteContact } from '../../../src/core/destination.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { ConsentState } from '../../../src/core/mapping.ts';
import type { ListChanges } from '../../../src/core/segments.ts';

/** What is mapped in these tests, of each type. */
export const PLAN: AttributePlan = {
  first_name: 'text',
  sms: 'text',
  seats: 'integer',
  ratio: 'float',
  active: 'boolean',
  born: 'date',
  seen: 'timestamp',
  tags: 'json',
};

/** A delivery with the row of `rollcall.claim` that it comes of. */
export interface Case {
  readonly row: JsonObject;
  readonly delivery: Delivery;
  /** Read at the destination before it is sent. */
  readonly subscription: RemoteContact['subscription'] | null;
}

const address = fc.constantFrom('ann@example.com', 'a+b@x.y', "o'neil@example.com", 'ü/ß?#@exämple.com', '"q"@x.y');
const texts = fc.constantFrom(
  'Ann',
  '',
  'x"y\\z',
  '🎉 é',
  '2026-02-30',
  '2026-02-28',
  '2026-01-02T03:04:05.678901Z',
  'infinity',
  '+49 151 2345678',
  '0151',
);
const numbers = fc.constantFrom(0, 1, -2.5, 9007199254740991, 1e-7);
const nested = fc.constantFrom<JsonObject | readonly string[]>(
  { '2': { é: '"' }, a: [1, null, 'x'], b: 1, '10': 1 },
  [],
  {},
  ['a', 'b'],
);
const any = fc.oneof(texts, numbers, fc.boolean(), nested, fc.constant(null));

const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  first_name: fc.oneof(texts, fc.constant(null)),
  sms: fc.oneof(texts, fc.constant(null)),
  seats: fc.oneof(numbers, fc.constant(null), texts),
  ratio: fc.oneof(numbers, fc.constant(null)),
  active: fc.oneof(fc.boolean(), fc.constant(null), texts),
  born: fc.oneof(texts, fc.constant(null)),
  seen: fc.oneof(texts, fc.constant(null)),
  tags: fc.oneof(nested, fc.constant(null)),
  unplanned: any,
};

const attributes = fc.record(values, { requiredKeys: [] }) as unknown as fc.Arbitrary<JsonObject>;
const consent = fc.constantFrom<ConsentState>('basis', 'none', 'opted_out', 'opted_in');

/** What is said of the lists of segments; nobody keeps the list 10 any more. */
const lists: fc.Arbitrary<ListChanges | null> = fc
  .option(fc.tuple(...['8', '9', '10'].map(() => fc.constantFrom('none', 'on', 'join', 'leave'))))
  .map((states) => {
    if (states === null) return null;
    const of = (...words: readonly string[]): string[] =>
      ['8', '9', '10'].filter((_, n) => words.includes(states[n] ?? ''));
    return { in: of('on', 'join'), join: of('join'), leave: of('leave') };
  });

/** Deliveries as the store makes them of rows: see `toClaimed` in src/sql/store/claim.ts. */
export const cases: fc.Arbitrary<Case> = fc
  .record({
    action: fc.constantFrom<Delivery['action']>('upsert', 'upsert', 'upsert', 'delete', 'unsubscribe'),
    address,
    remoteAddress: fc.option(address),
    remoteId: fc.option(fc.constantFrom('42', 'ct_1', 'c_x_y_7')),
    leftovers: fc.array(address, { maxLength: 2 }),
    attributes,
    consent,
    takeover: fc.boolean(),
    delivered: fc.boolean(),
    imported: fc.boolean(),
    again: fc.boolean(),
    lists,
    subscription: fc.constantFrom('subscribed' as const, 'unsubscribed' as const, null),
  })
  .map((made) => {
    const isUpsert = made.action === 'upsert';
    const imported = made.imported && made.remoteId === null && made.remoteAddress !== null && made.delivered;
    const untold = isUpsert && !made.delivered && made.remoteAddress === made.address;
    const isKnown = (made.remoteAddress !== null && !untold) || made.remoteId !== null || made.leftovers.length > 0;
    const subscription = isKnown ? made.subscription : null;
    const remote: RemoteContact | null = isKnown
      ? {
          address: made.remoteAddress,
          id: made.remoteId,
          leftovers: made.leftovers,
          imported,
          ...(!made.delivered && made.remoteId !== null ? { met: true } : {}),
          ...(subscription === null ? {} : { subscription }),
        }
      : null;
    const row: JsonObject = {
      contact_id: 7,
      version: 3,
      action: made.action,
      address: isUpsert ? made.address : null,
      remote_address: made.remoteAddress,
      remote_id: made.remoteId,
      payload: JSON.stringify(made.attributes),
      consent: made.consent,
      carry_from: null,
      takeover: made.takeover,
      leftovers: made.leftovers,
      delivered: made.delivered,
      tries: 0,
      send_state: true,
      lane: 0,
      imported,
      again: made.again,
      astray: false,
      erases: false,
      lists: made.lists === null ? null : JSON.stringify(made.lists),
    };
    const delivery: Delivery = {
      contactId: '7',
      version: '3',
      action: made.action,
      address: isUpsert ? made.address : null,
      remote,
      attributes: made.attributes,
      takeover: made.takeover,
      consent: made.consent,
      again: made.again,
      lists: made.lists ?? undefined,
    };
    return { row, delivery, subscription };
  });

/** Whom a request for many takes: nothing is to be said of their address or consent. */
export const rows: fc.Arbitrary<Delivery> = fc
  .record({ address, attributes, imported: fc.boolean(), met: fc.boolean(), lists })
  .map(({ imported, met, lists: said, ...made }): Delivery => {
    const remote = met
      ? { address: made.address, id: null, met }
      : imported
        ? { address: made.address, id: null, imported }
        : null;
    return {
      contactId: '7',
      version: '3',
      action: 'upsert',
      remote,
      takeover: false,
      consent: 'basis',
      ...made,
      lists: said ?? undefined,
    };
  });

/** Events, and whoever they go to. */
export const events: fc.Arbitrary<{ readonly event: ContactEvent; readonly remote: RemoteContact }> = fc.record({
  event: fc.record({
    id: fc.constant('6f1c1f0e-0000-4000-8000-000000000001'),
    name: fc.constantFrom('order.placed', 'é: 🎉/x', 'plain', ''),
    at: fc.constantFrom('2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05Z'),
    properties: fc.record(
      { total: numbers, 'a.b': any, a_b: any, nested: fc.oneof(nested, fc.constant(null)) },
      { requiredKeys: [] },
    ),
  }),
  remote: fc.record({ address, id: fc.option(fc.constantFrom('42', 'ct_1')) }),
});
