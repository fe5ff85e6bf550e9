import { expect, test } from 'vitest';
import type { Destination, Operation } from '../../src/core/destination.ts';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import standIn from '../../src/destinations/mailtrap/sandbox/index.ts';
import { conformance } from '../../src/testing/conformance.ts';

const right = mailtrap as Destination<unknown>;

/** A mistake somebody could make, and the case that must find it. */
interface Mistake {
  readonly mistake: string;
  readonly wrong: Partial<Destination<unknown>>;
  readonly found: string;
}

/** Changes what is said of the contact in each upsert. */
function saying(change: (contact: JsonObject) => JsonObject): Partial<Destination<unknown>> {
  return {
    encode: (...args) =>
      right.encode(...args).map((operation): Operation => {
        const contact = operation.body?.['contact'];
        return isJsonObject(contact) ? { ...operation, body: { contact: change(contact) } } : operation;
      }),
  };
}

let calls = 0;

const MISTAKES: readonly Mistake[] = [
  {
    mistake: 'an opt-out is not sent',
    wrong: saying(({ unsubscribed: _not, ...contact }) => contact),
    found: 'consent: `none` makes a contact that is not mailed',
  },
  {
    mistake: 'an update says subscribed',
    wrong: saying((contact) => ({ unsubscribed: false, ...contact })),
    found: 'consent: who left there (unsubscribe) is not subscribed again by an update',
  },
  {
    mistake: 'a lookup takes everybody for subscribed',
    wrong: {
      lookup: (remote, config) => {
        const exchange = right.lookup!(remote, config);
        const { request } = exchange;
        return { request, interpret: () => ({ ok: true, value: { ...remote, subscription: 'subscribed' } }) };
      },
    },
    found: 'consent: who left there is not subscribed again by another address',
  },
  {
    mistake: 'the old address stays',
    wrong: { encode: (...args) => right.encode(...args).slice(0, 1) },
    found: 'address: it changes, with no id known',
  },
  {
    mistake: 'a takeover clears nothing',
    wrong: { encode: (delivery, ...args) => right.encode({ ...delivery, takeover: false }, ...args) },
    found: 'address: A leaves and B signs up with it; nothing of A remains',
  },
  {
    mistake: 'an address goes into the URL as it is',
    wrong: {
      encode: (...args) => right.encode(...args).map((each) => ({ ...each, path: decodeURIComponent(each.path) })),
    },
    found: 'address: +, quotes and signs of URLs arrive as they are',
  },
  {
    mistake: 'numbers go through a double',
    wrong: {
      request: (...args) => {
        const request = right.request(...args);
        return { ...request, body: request.body === null ? null : JSON.stringify(JSON.parse(request.body)) };
      },
    },
    found: 'values: numbers past 2^53 and long decimals keep all their digits',
  },
  {
    mistake: 'any success is a delivery',
    wrong: {
      interpret: (response, batch) =>
        response.status < 300 ? batch.map(() => ({ kind: 'delivered' })) : right.interpret(response, batch),
    },
    found: 'answers: a page of something in between is no delivery',
  },
  {
    mistake: 'a body that is no JSON throws',
    wrong: {
      interpret: (response, batch) => {
        if (response.status === 200) JSON.parse(response.body);
        return right.interpret(response, batch);
      },
    },
    found: 'answers: one outcome for each operation, for any status and any body',
  },
  {
    mistake: 'an outcome is missing',
    wrong: { interpret: (response, batch) => (response.status === 409 ? [] : right.interpret(response, batch)) },
    found: 'answers: one outcome for each operation, for any status and any body',
  },
  {
    mistake: 'a wrong key is the record’s fault',
    wrong: {
      interpret: ({ status, ...rest }, batch) =>
        right.interpret({ status: status === 401 ? 400 : status, ...rest }, batch),
    },
    found: 'answers: 401 pauses the destination and burns no record',
  },
  {
    mistake: 'a header that says how long to wait is not read',
    wrong: { interpret: (response, batch) => right.interpret({ ...response, headers: {} }, batch) },
    found: 'answers: 429 is a throttle, with the wait of every header that says one',
  },
  {
    mistake: 'an event of a contact that is gone is refused',
    wrong: {
      interpret: (response, batch) =>
        right
          .interpret(response, batch)
          .map((outcome) => (outcome.kind === 'retry' ? { ...outcome, kind: 'reject' as const } : outcome)),
    },
    found: 'events: of a contact that is gone there is not lost',
  },
  {
    mistake: 'rows that were refused count as delivered',
    wrong: {
      bulk: {
        ...right.bulk!,
        started: (response, rows) =>
          response.status === 422
            ? { kind: 'answered', outcome: { kind: 'delivered' }, rows: new Map() }
            : right.bulk!.started(response, rows),
      },
    },
    found: 'many: one bad row has its reason, and the rest arrives',
  },
  {
    mistake: 'something is remembered between calls',
    wrong: {
      encode: (...args) => {
        calls += 1;
        return right.encode(...args).map((each) => ({ ...each, path: `${each.path}?n=${calls}` }));
      },
    },
    found: 'pure: the same input gives the same, and is not changed',
  },
  {
    mistake: 'the key is in the account’s name',
    wrong: { account: (config) => JSON.stringify(config) },
    found: 'secrets: the key stands in no URL, no body and no message',
  },
  {
    mistake: 'a capability is named and not there',
    wrong: { capabilities: { ...right.capabilities, events: 'none' } },
    found: 'description: its parts are those that its capabilities name',
  },
];

test.each(MISTAKES)('$mistake: found', async ({ wrong, found }) => {
  const cases = (destination: Destination<unknown>) =>
    conformance({ destination, standIn }).filter(({ name }) => name.startsWith(found));
  expect(cases(right)).toHaveLength(1);
  const [finding] = cases({ ...right, ...wrong });
  await expect(finding?.run()).rejects.toThrow(/\nWhat to write: /);
});
