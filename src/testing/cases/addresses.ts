import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person } from '../person.ts';
import { everyone, mustBeAlone, mustBeNobodyBut, mustHave, only, valueOf } from '../shown.ts';

const OLD = 'old@example.com';
const NEW = 'new@example.com';
const MOVE =
  '`encode` of another address than `remote.address` moves the contact by its id; without one it upserts the new address and deletes the old one, and every one of `remote.leftovers`';

/** Addresses as they are really written. Each is one segment of a path, one text in a body, and one cell of a file. */
const ODD = [
  'a+b@example.com',
  "o'brien@example.com",
  'first.last_99@sub.example.co.uk',
  'under_score-dash@example.com',
  'a&b=c@example.com',
  'q?x=1#y@example.com',
  'a%2fb@example.com',
  'UPPER@Example.com',
] as const;

/** Some vendors take them and some refuse them; neither may hurt anybody else. */
const STRANGE = [
  'ünï.cödé@exämple.com',
  '🎈@example.com',
  'a/b@example.com',
  '"a b"@example.com',
  '../x@example.com',
  'x'.repeat(300),
] as const;

export const addresses: readonly Case[] = [
  {
    name: 'address: it changes, with the id known',
    write: MOVE,
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ address: OLD, attributes: { NOTE: 'kept', CITY: 'Turku' } });
      await ann.arrive({ address: NEW, attributes: { NOTE: 'kept' } });
      mustHave(mustBeAlone(bench, NEW), 'NOTE', 'kept');
    },
  },
  {
    name: 'address: it changes, with no id known',
    write: MOVE,
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ address: OLD, attributes: { NOTE: 'kept' } });
      ann.forgetId();
      await ann.arrive({ address: NEW, attributes: { NOTE: 'kept' } });
      mustHave(mustBeAlone(bench, NEW), 'NOTE', 'kept');
    },
  },
  {
    name: 'address: only its case changes',
    write:
      'addresses that differ in case alone may be one contact: such a change must never be followed by a delete of the old one',
    async run(bench) {
      for (const withId of [true, false]) {
        const ann = new Person(bench);
        await ann.arrive({ address: OLD });
        if (!withId) ann.forgetId();
        await ann.arrive({ address: 'Old@Example.com', attributes: { NOTE: 'here' } });
        const there = everyone(bench).filter((contact) => valueOf(contact, 'NOTE') === 'here');
        must(there.length === 1, 'the contact is still there', everyone(bench));
        await ann.arrive({ address: OLD });
      }
    },
  },
  {
    name: 'address: the new one is another contact’s, who nobody knows',
    write: `the vendor refuses the change, or both would stand there: \`interpret\` answers it with a retry and \`forgetRemote\`, and then ${MOVE}`,
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ address: OLD, attributes: { NOTE: 'Ann' } });
      await new Person(bench, 'by hand').arrive({ address: NEW, attributes: { NOTE: 'by hand' } });
      await ann.arrive({ address: NEW, attributes: { NOTE: 'Ann' } });
      mustHave(mustBeAlone(bench, NEW), 'NOTE', 'Ann');
    },
  },
  {
    name: 'address: A leaves and B signs up with it; nothing of A remains',
    write: '`encode` with `takeover` clears every attribute of the plan that `attributes` does not hold',
    async run(bench) {
      for (const deleted of [true, false]) {
        const a = new Person(bench, 'a');
        await a.arrive({ address: NEW, attributes: { NOTE: 'secret of A', CITY: 'Turku', SCORE: 4, EXTRA: { a: 1 } } });
        // Not deleted: the deletion waited and became void, as the address is a living person's again.
        if (deleted) await a.arrive({ action: 'delete' });
        await new Person(bench, 'b').arrive({ address: NEW, attributes: { NOTE: 'of B' }, takeover: true });
        const contact = mustBeAlone(bench, NEW);
        mustHave(contact, 'NOTE', 'of B');
        for (const name of ['CITY', 'SCORE', 'EXTRA'])
          must(valueOf(contact, name) === null, `${name} of A is gone`, contact.attributes);
      }
    },
  },
  {
    name: 'address: two people swap theirs',
    write: MOVE,
    async run(bench) {
      const [a, b] = [new Person(bench, 'a'), new Person(bench, 'b')];
      await a.arrive({ address: OLD, attributes: { NOTE: 'A' } });
      await b.arrive({ address: NEW, attributes: { NOTE: 'B' } });
      // The fold takes an address out of what is known of whoever had it before.
      const [takesNew, takesOld] = [new Person(bench, 'a'), new Person(bench, 'b')];
      await takesNew.arrive({ address: NEW, attributes: { NOTE: 'A' }, takeover: true });
      await takesOld.arrive({ address: OLD, attributes: { NOTE: 'B' }, takeover: true });
      mustHave(only(bench, NEW), 'NOTE', 'A');
      mustHave(only(bench, OLD), 'NOTE', 'B');
      mustBeNobodyBut(bench, [OLD, NEW]);
    },
  },
  {
    name: 'address: leftovers of a delivery that ended halfway are removed',
    write: MOVE,
    async run(bench) {
      await new Person(bench, 'older').arrive({ address: 'older@example.com' });
      await new Person(bench, 'oldest').arrive({ address: 'oldest@example.com' });
      const ann = new Person(bench, '1', {
        address: null,
        id: null,
        leftovers: ['older@example.com', 'oldest@example.com'],
      });
      await ann.arrive({ address: NEW });
      mustBeAlone(bench, NEW);
    },
  },
  {
    name: 'address: +, quotes and signs of URLs arrive as they are, and each can be removed',
    write: 'an address is one segment of a path (`pathSegment`) or a value in a body: never put it into a URL as it is',
    async run(bench) {
      for (const address of ODD) {
        const ann = new Person(bench);
        await ann.arrive({ address });
        ann.forgetId();
        await ann.arrive({ address, attributes: { NOTE: 'by address' } });
        mustHave(mustBeAlone(bench, address), 'NOTE', 'by address');
        ann.forgetId();
        await ann.arrive({ action: 'delete' });
        mustBeNobodyBut(bench, []);
      }
    },
  },
  {
    name: 'address: a strange one arrives as it is or is refused by itself',
    write:
      '`interpret` gives a `reject` for an address that the vendor refuses, and never a `config`, which would stop everybody',
    async run(bench) {
      await new Person(bench, 'bob').arrive({ address: 'bob@example.com', attributes: { NOTE: 'Bob' } });
      for (const address of STRANGE) {
        const { state } = await bench.perform({ address });
        must(
          state?.kind === 'delivered' || state?.kind === 'reject',
          `${address} is accepted, or refused by itself`,
          state,
        );
        if (state.kind === 'delivered') {
          only(bench, address);
          await new Person(bench, '1', { address, id: null }).arrive({ action: 'delete' });
        }
        mustHave(mustBeAlone(bench, 'bob@example.com'), 'NOTE', 'Bob');
      }
    },
  },
];
