import { deepEqual } from 'node:assert/strict';
import { LosslessNumber } from 'lossless-json';
import type { ContactEvent } from '../../core/destination.ts';
import type { ShownEvent } from '../../sandbox/stand-in.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { eventOf } from '../samples.ts';
import { asText, everyone } from '../shown.ts';

const ENCODE = '`encodeEvent` gives one operation of kind `event`, by `remote.id`, else by `remote.address`';
const KEYED =
  '`encodeEvent` hands on `event.id` as the vendor’s key, and `interpret` takes "there already" for delivered';

const takesEvents: Case['needs'] = ({ capabilities }) => capabilities.events !== 'none';

function named(bench: Bench, ...names: readonly string[]): readonly ShownEvent[] {
  return bench.vendor.events().filter(({ name }) => names.includes(name));
}

/** Sends events alone, as for a contact that is in step. */
async function tell(
  bench: Bench,
  person: Person,
  events: readonly ContactEvent[],
): Promise<Awaited<ReturnType<Bench['perform']>>> {
  return await bench.perform({ ...person.parts({ events }), sendState: false });
}

export const events: readonly Case[] = [
  {
    name: 'events: come after their contact, in order, with what they tell',
    write: ENCODE,
    needs: takesEvents,
    async run(bench) {
      const properties = {
        total: 12.5,
        currency: 'EUR',
        gift: false,
        big: new LosslessNumber('9007199254740993'),
        text: 'ü 🎈 "x"',
      };
      const ann = new Person(bench);
      const { state, events: sent } = await ann.attempt({
        events: [eventOf(1, 'first', properties), eventOf(2, 'second')],
      });
      deepEqual([state?.kind, ...sent.map(({ kind }) => kind)], ['delivered', 'delivered', 'delivered']);
      deepEqual(
        named(bench, 'first', 'second').map(({ name, address }) => [name, address]),
        [
          ['first', 'ann@example.com'],
          ['second', 'ann@example.com'],
        ],
      );
      const [first] = named(bench, 'first');
      for (const [name, value] of Object.entries(properties)) {
        const has = first?.properties[name] ?? null;
        must(
          asText(has) === asText(value) && (typeof value === 'object' || typeof has === typeof value),
          `the property ${name} arrives`,
          first?.properties,
        );
      }
    },
  },
  {
    name: 'events: go to a contact that is in step, by its id and by its address',
    write: ENCODE,
    needs: takesEvents,
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      const one = await tell(bench, ann, [eventOf(1, 'by_id')]);
      ann.forgetId();
      const two = await tell(bench, ann, [eventOf(2, 'by_address')]);
      deepEqual(
        [...one.events, ...two.events].map(({ kind }) => kind),
        ['delivered', 'delivered'],
      );
      deepEqual(
        named(bench, 'by_id', 'by_address').map(({ address }) => address),
        ['ann@example.com', 'ann@example.com'],
      );
      must(everyone(bench).length === 1, 'no second contact was made', everyone(bench));
    },
  },
  {
    name: 'events: many of one contact arrive in order',
    write: `${ENCODE}; operations that share a \`batchKey\` go in one request, of at most \`eventLimits.perRequest\``,
    needs: takesEvents,
    async run(bench) {
      const ann = new Person(bench);
      const count = Math.min(250, 2 * (bench.destination.eventLimits?.perRequest ?? 3) + 1);
      const many = Array.from({ length: count }, (_, n) => eventOf(n, 'many', { n }));
      const { events: sent } = await ann.attempt({ events: many });
      must(sent.length === count && sent.every(({ kind }) => kind === 'delivered'), 'each is delivered', sent);
      deepEqual(
        named(bench, 'many').map(({ properties }) => Number(asText(properties['n'] ?? null))),
        many.map((_, n) => n),
      );
    },
  },
  {
    name: 'events: one whose answer was lost is there once after its repetition',
    write: KEYED,
    needs: ({ capabilities }) => capabilities.events === 'keyed',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      const both = [eventOf(1, 'once'), eventOf(2, 'once_too')];
      for (const n of [1, 2]) {
        bench.faultAt(n, [{ drop: 'after' }]);
        await tell(bench, ann, both);
        bench.clear();
      }
      const { events: sent } = await tell(bench, ann, both);
      deepEqual(
        sent.map(({ kind }) => kind),
        ['delivered', 'delivered'],
      );
      deepEqual(
        named(bench, 'once', 'once_too').map(({ name }) => name),
        ['once', 'once_too'],
      );
    },
  },
  {
    name: 'events: one whose answer was lost is sent again',
    write: ENCODE,
    needs: ({ capabilities }) => capabilities.events === 'unkeyed',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      bench.faultAt(1, [{ drop: 'after' }]);
      const lost = await tell(bench, ann, [eventOf(1, 'once')]);
      bench.clear();
      must(lost.events[0]?.kind === 'unknown', 'nobody knows whether it arrived', lost.events);
      const { events: sent } = await tell(bench, ann, [eventOf(1, 'once')]);
      must(sent[0]?.kind === 'delivered' && named(bench, 'once').length > 0, 'it is there', sent);
    },
  },
  {
    name: 'events: of a contact that is gone there is not lost',
    write:
      '`interpret` of an event whose contact is not there gives a `retry` with the code `contact_missing` and `forgetRemote`: its state is sent first, then the event',
    needs: takesEvents,
    async run(bench) {
      const ann = new Person(bench);
      const remote = await ann.arrive({});
      await ann.arrive({ action: 'delete' });
      const stale = new Person(bench, '1', remote);
      const { events: sent } = await tell(bench, stale, [eventOf(1, 'late')]);
      const [outcome] = sent;
      const again = outcome !== undefined && outcome.kind === 'retry' && outcome.forgetRemote === true;
      must(
        again || (outcome?.kind === 'delivered' && named(bench, 'late').length === 1),
        'it is kept or it is there',
        outcome,
      );
      stale.forgetId();
      if (again) await stale.attempt({ events: [eventOf(1, 'late')] });
      must(named(bench, 'late').length === 1, 'it arrives after its contact', bench.vendor.events());
    },
  },
  {
    name: 'events: one that is refused is one dead letter, and the others go on',
    write: '`interpret` gives each operation of a batch its own outcome: a `reject` for what the vendor refuses',
    needs: (destination) => destination.capabilities.events !== 'none' && destination.eventLimits !== undefined,
    async run(bench) {
      const ann = new Person(bench);
      const tooLong = 'x'.repeat((bench.destination.eventLimits?.name ?? 0) + 1);
      const { events: sent } = await ann.attempt({
        events: [eventOf(1, 'one'), eventOf(2, tooLong), eventOf(3, 'three')],
      });
      deepEqual(
        sent.map(({ kind }) => kind),
        ['delivered', 'reject', 'delivered'],
      );
      deepEqual(
        named(bench, 'one', tooLong, 'three').map(({ name }) => name),
        ['one', 'three'],
      );
    },
  },
  {
    name: 'events: the last ones are told before the contact is deleted',
    write: ENCODE,
    needs: ({ capabilities }) => capabilities.events !== 'none' && capabilities.remove !== 'none',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({});
      const { state, events: sent } = await ann.attempt({ action: 'delete', events: [eventOf(1, 'goodbye')] });
      deepEqual([state?.kind, sent[0]?.kind], ['delivered', 'delivered']);
      must(named(bench, 'goodbye').length === 1, 'it is there');
    },
  },
];
