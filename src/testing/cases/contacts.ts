import { deepEqual } from 'node:assert/strict';
import { renderJson } from '../../core/json.ts';
import type { Bench } from '../bench.ts';
import { bare, delivery } from '../delivery.ts';
import type { Case } from '../case.ts';
import { frozen } from '../freeze.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { at, everyone, mailed, mustBeAlone, mustHave, only, valueOf, withoutTimes } from '../shown.ts';

const ANN = 'ann@example.com';
const UPSERT =
  '`encode` gives one operation of kind `upsert` with the address and the attributes in its body, `request` makes a request of it';
const DELETE =
  '`encode` of the action `delete` gives an operation by `remote.id`, else by `remote.address`, and `interpret` takes "not there" for done';

/** The life of one contact. */
export const contacts: readonly Case[] = [
  {
    name: 'upsert: a new contact arrives with its attributes',
    write: UPSERT,
    async run(bench) {
      const attributes = { NOTE: 'hello', SCORE: 7, MEMBER: true };
      const remote = await new Person(bench).arrive({ attributes });
      const contact = mustBeAlone(bench, ANN);
      for (const [name, value] of Object.entries(attributes)) mustHave(contact, name, value);
      must(contact.status === 'subscribed', 'somebody with a basis is left as the vendor makes them', contact);
      must(remote.id === null || bench.vendor.contact(remote.id) !== undefined, '`remoteId` names the contact', remote);
    },
  },
  {
    name: 'upsert: the same again changes nothing and makes no second contact',
    write: 'an upsert is idempotent: it creates or updates by the address or the id, and never creates a second',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ attributes: { NOTE: 'hello' } });
      const before = withoutTimes(everyone(bench));
      await ann.arrive({ attributes: { NOTE: 'hello' } });
      deepEqual(withoutTimes(everyone(bench)), before);
      // As after a lost settle: nothing is known of the contact.
      await new Person(bench).arrive({ attributes: { NOTE: 'hello' } });
      deepEqual(withoutTimes(everyone(bench)), before);
    },
  },
  {
    name: 'upsert: one attribute changes and the others stay',
    write: 'an upsert says only what `attributes` holds, and the vendor keeps the rest',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ attributes: { NOTE: 'one', CITY: 'Turku' } });
      await ann.arrive({ attributes: { NOTE: 'two', ...unchanged(bench) } });
      mustHave(mustBeAlone(bench, ANN), 'NOTE', 'two');
      mustHave(only(bench, ANN), 'CITY', 'Turku');
    },
  },
  {
    name: 'upsert: null clears an attribute and leaves the others',
    write: '`encode` turns an attribute that is null into what clears it at the vendor',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ attributes: { NOTE: 'one', CITY: 'Turku', SCORE: 3 } });
      await ann.arrive({ attributes: { NOTE: null, SCORE: null, ...unchanged(bench) } });
      const contact = mustBeAlone(bench, ANN);
      for (const name of ['NOTE', 'SCORE'])
        must(valueOf(contact, name) === null, `${name} is cleared`, contact.attributes);
      mustHave(contact, 'CITY', 'Turku');
    },
  },
  {
    name: 'delete: the contact is gone, and again is no mistake',
    write: DELETE,
    async run(bench) {
      for (const withId of [true, false]) {
        const ann = new Person(bench);
        const remote = await ann.arrive({});
        const bob = new Person(bench, '2');
        await bob.arrive({ address: 'bob@example.com' });
        if (!withId) ann.forgetId();
        const known = ann.remote;
        await ann.arrive({ action: 'delete' });
        gone(bench);
        // A worker that died before it could settle, and somebody who was already removed by hand.
        await new Person(bench, '1', known).arrive({ action: 'delete' });
        await new Person(bench, '1', { ...remote, id: null }).arrive({ action: 'delete' });
        gone(bench);
        only(bench, 'bob@example.com');
      }
    },
  },
  {
    name: 'delete: of somebody who was never sent changes nothing',
    write: DELETE,
    async run(bench) {
      await new Person(bench, '2').arrive({ address: 'bob@example.com' });
      const before = withoutTimes(everyone(bench));
      const { state } = await bench.perform({ action: 'delete', address: null, remote: null });
      must(state?.kind === 'delivered', 'there is nothing to do', state);
      await new Person(bench, '1', { address: 'nobody@example.com', id: null }).arrive({ action: 'delete' });
      deepEqual(withoutTimes(everyone(bench)), before);
    },
  },
  {
    name: 'unsubscribe: who left and shall be kept is not mailed any more, and nothing else changes',
    write:
      '`encode` of the action `unsubscribe` says the opt-out and nothing else; 404 means there is nobody to opt out',
    needs: ({ capabilities }) => capabilities.consent.tell,
    async run(bench) {
      for (const withId of [true, false]) {
        const ann = new Person(bench);
        await ann.arrive({ attributes: { NOTE: 'hello' } });
        if (!withId) ann.forgetId();
        await ann.arrive({ action: 'unsubscribe' });
        await ann.arrive({ action: 'unsubscribe' });
        const contact = only(bench, ANN);
        mustHave(contact, 'NOTE', 'hello');
        must(contact.status === 'unsubscribed', 'the contact is opted out', contact);
      }
    },
  },
  {
    name: 'unsubscribe: of somebody who is not there makes nobody',
    write: '`encode` of the action `unsubscribe` must not create a contact, or is preceded by a `lookup`',
    needs: ({ capabilities }) => capabilities.consent.tell,
    async run(bench) {
      await bench.perform({ action: 'unsubscribe', address: null, remote: null });
      const nobody = { address: 'nobody@example.com', id: null };
      const { state } = await bench.perform({ action: 'unsubscribe', address: null, remote: nobody });
      must(state?.kind === 'delivered', 'there is nobody to opt out, so it is done', state);
      deepEqual(mailed(bench), []);
    },
  },
];

/** What an update says of an attribute that stays: nothing, but where all that is mapped is told each time. */
function unchanged({ destination, plan, config }: Bench): { readonly CITY?: string } {
  const said = destination.encode(frozen(bare(delivery({}))), plan, config);
  return said.some(({ body }) => body !== null && renderJson(body).includes('CITY')) ? { CITY: 'Turku' } : {};
}

function gone(bench: Bench): void {
  const { remove } = bench.destination.capabilities;
  const left = at(bench, ANN);
  if (remove === 'hard') must(left.length === 0, `nobody stands at ${ANN}`, left);
  if (remove === 'soft')
    must(
      left.every(({ status }) => status === 'unsubscribed'),
      `nobody at ${ANN} is mailed`,
      left,
    );
}
