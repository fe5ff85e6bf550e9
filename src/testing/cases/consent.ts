import type { ConsentState } from '../../core/mapping.ts';
import type { OptOutReason } from '../../sandbox/stand-in.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { importAll } from '../import-all.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { eventOf } from '../samples.ts';
import { at, mailed, only } from '../shown.ts';

const SILENT =
  'nothing but `opted_in` says *subscribed*: leave the field out, and use `mustOptOut` of core/opt-out.ts for when the opt-out travels in the very request that creates or moves a contact';
const SAID = '`mustOptIn` of core/opt-out.ts says when a request must subscribe: of a person who said yes after a no';

const OLD = 'old@example.com';
const NEW = 'new@example.com';
const BASIS = { consent: 'basis' } as const;

function mustNotBeMailed(bench: Bench, ...addresses: readonly string[]): void {
  const found = mailed(bench).filter(({ address }) => addresses.includes(address));
  must(found.length === 0, `nobody is mailed at ${addresses.join(', ')}`, found);
}

function mustBeOptedOut(bench: Bench, address: string): void {
  const contact = only(bench, address);
  must(contact.status === 'unsubscribed', `${address} stays opted out`, contact);
}

/** A person who was delivered and then left by the vendor's own page. */
async function leftThere(bench: Bench, reason: OptOutReason = 'unsubscribe'): Promise<Person> {
  const ann = new Person(bench);
  await ann.arrive({ address: OLD, attributes: { NOTE: 'before' } });
  bench.vendor.optOut(OLD, reason);
  mustBeOptedOut(bench, OLD);
  return ann;
}

const tells: NonNullable<Case['needs']> = ({ capabilities }) => capabilities.consent.tell;
const keeps: Case['needs'] = ({ capabilities }) =>
  capabilities.consent.tell && capabilities.consent.read.includes('suppressions');

export const consent: readonly Case[] = [
  ...(['none', 'opted_out'] as const).map((state: ConsentState): Case => ({
    name: `consent: \`${state}\` makes a contact that is not mailed, in the very request that makes it`,
    write: SILENT,
    needs: tells,
    async run(bench) {
      const subscribed: string[] = [];
      const seen = bench.onContact((_kind, contact) => {
        if (contact.status === 'subscribed') subscribed.push(contact.address);
      });
      await new Person(bench).arrive({ address: NEW, consent: state });
      seen();
      mustBeOptedOut(bench, NEW);
      must(subscribed.length === 0, 'there is no moment in which it could be mailed', subscribed);
    },
  })),
  {
    name: 'consent: `opted_out` of somebody who is there arrives as unsubscribed',
    write: SILENT,
    needs: tells,
    async run(bench) {
      for (const withId of [true, false]) {
        const ann = new Person(bench);
        await ann.arrive({ address: OLD, ...BASIS });
        if (!withId) ann.forgetId();
        await ann.arrive({ address: OLD, consent: 'opted_out' });
        mustBeOptedOut(bench, OLD);
        await ann.arrive({ action: 'delete' });
      }
    },
  },
  {
    name: 'consent: `opted_out` moves with the address',
    write: SILENT,
    needs: tells,
    async run(bench) {
      for (const withId of [true, false]) {
        const address = `moved-${withId}@example.com`;
        const ann = new Person(bench);
        await ann.arrive({ address: OLD, consent: 'opted_out' });
        if (!withId) ann.forgetId();
        await ann.arrive({ address, consent: 'opted_out' });
        mustBeOptedOut(bench, address);
        mustNotBeMailed(bench, OLD, address);
      }
    },
  },
  {
    name: 'consent: `opted_in` subscribes who has left, there or at another address, and who was made opted out',
    write: SAID,
    needs: tells,
    async run(bench) {
      for (const withId of [true, false]) {
        for (const address of [OLD, `back-${withId}@example.com`]) {
          const ann = await leftThere(bench);
          if (!withId) ann.forgetId();
          await ann.arrive({ address, consent: 'opted_in' });
          const contact = only(bench, address);
          must(contact.status === 'subscribed', `${address} is mailed again`, contact);
          await ann.arrive({ address, consent: 'opted_out' });
          mustBeOptedOut(bench, address);
          await ann.arrive({ action: 'delete' });
        }
      }
      const bob = new Person(bench, '2');
      await bob.arrive({ address: NEW, consent: 'none' });
      mustBeOptedOut(bench, NEW);
      await bob.arrive({ address: NEW, consent: 'opted_in' });
      must(only(bench, NEW).status === 'subscribed', `${NEW} is mailed`, only(bench, NEW));
    },
  },
  ...(['unsubscribe', 'complaint', 'bounce'] as const).map((reason): Case => ({
    name: `consent: who left there (${reason}) is not subscribed again by an update`,
    write: SILENT,
    needs: tells,
    async run(bench) {
      const ann = await leftThere(bench, reason);
      await ann.arrive({ address: OLD, attributes: { NOTE: 'after', CITY: null }, ...BASIS });
      mustBeOptedOut(bench, OLD);
      ann.forgetId();
      await ann.arrive({ address: OLD, attributes: { NOTE: 'by address' }, ...BASIS });
      mustBeOptedOut(bench, OLD);
      await new Person(bench).arrive({ address: OLD, attributes: { NOTE: 'as if new' }, ...BASIS });
      mustBeOptedOut(bench, OLD);
    },
  })),
  {
    name: 'consent: who left there is not subscribed again by another address',
    write: `${SILENT}; before an address changes the engine calls \`lookup\`, and \`encode\` finds what it read in \`remote.subscription\``,
    needs: tells,
    async run(bench) {
      for (const withId of [true, false]) {
        for (const consentState of ['basis', 'none'] as const) {
          const address = `new-${withId}-${consentState}@example.com`;
          const ann = await leftThere(bench);
          if (!withId) ann.forgetId();
          await ann.arrive({ address, consent: consentState });
          mustNotBeMailed(bench, OLD, address);
          mustBeOptedOut(bench, address);
          await ann.arrive({ action: 'delete' });
        }
      }
    },
  },
  {
    name: 'consent: who left there is not subscribed again by a repetition, a takeover or an event',
    write: SILENT,
    needs: tells,
    async run(bench) {
      const ann = await leftThere(bench);
      bench.faultAt(1, [{ drop: 'after' }]);
      await ann.attempt({ address: OLD, ...BASIS });
      bench.clear();
      await ann.arrive({ address: OLD, ...BASIS });
      mustBeOptedOut(bench, OLD);
      if (bench.destination.capabilities.events !== 'none') {
        await ann.attempt({ address: OLD, ...BASIS, events: [eventOf(4, 'order_placed')] });
        mustBeOptedOut(bench, OLD);
      }
      await new Person(bench, 'another').arrive({ address: OLD, takeover: true, ...BASIS });
      mustBeOptedOut(bench, OLD);
    },
  },
  {
    name: 'consent: who left there is not subscribed again by an import',
    write: `${SILENT}; an import that could undo an opt-out must not name that person`,
    needs: (destination) => tells(destination) && destination.bulk !== undefined,
    async run(bench) {
      // Where it could undo an opt-out it is not used, or not before the config says that it cannot.
      if (bench.destination.bulk?.least(bench.config) === null) return;
      await leftThere(bench);
      await importAll(bench, [{ address: OLD, attributes: { NOTE: 'imported' } }, { address: NEW }]);
      mustBeOptedOut(bench, OLD);
    },
  },
  {
    name: 'consent: the vendor keeps the opt-out of an address, and making the contact again does not end it',
    write: `${SILENT}; where creating a contact would lift a suppression, \`looksFirst\` has the engine read it before`,
    needs: keeps,
    async run(bench) {
      const ann = await leftThere(bench);
      await ann.arrive({ action: 'delete' });
      await new Person(bench).arrive({ address: OLD, ...BASIS });
      mustNotBeMailed(bench, OLD);
      // Of somebody who was never a contact.
      bench.vendor.optOut('never@example.com', 'complaint');
      await new Person(bench, '2').arrive({ address: 'never@example.com', ...BASIS });
      mustNotBeMailed(bench, 'never@example.com');
      const mover = new Person(bench, '3');
      bench.vendor.optOut('target@example.com', 'bounce');
      await mover.arrive({ address: 'source@example.com', ...BASIS });
      await mover.arrive({ address: 'target@example.com', ...BASIS });
      mustNotBeMailed(bench, 'target@example.com');
    },
  },
  {
    name: 'consent: somebody with a basis is not opted out by an update, nor by another address',
    write:
      '`mustOptOut` of core/opt-out.ts says when the opt-out is sent: for `basis` only with what was read at the vendor',
    needs: tells,
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ address: OLD, ...BASIS });
      await ann.arrive({ address: OLD, attributes: { NOTE: 'x' }, ...BASIS });
      await ann.arrive({ address: NEW, ...BASIS });
      must(
        at(bench, NEW).every(({ status }) => status === 'subscribed'),
        'the contact is still mailed',
        at(bench, NEW),
      );
    },
  },
];
