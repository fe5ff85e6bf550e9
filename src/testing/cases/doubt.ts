import type { FaultRule } from '../../sandbox/faults.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { Person, type Wanted } from '../person.ts';
import { at, mustHave, only, valueOf } from '../shown.ts';

const AGAIN =
  'a delivery of unknown outcome is sent again with the state of then: every operation may be done twice, and in doubt `encode` names the contact by its address';

/** What may happen to a person, and what must stand there in the end. Addresses are of that run alone. */
interface Story {
  readonly name: string;
  readonly before?: (person: Person, of: Addresses) => Promise<void>;
  readonly wanted: (of: Addresses) => Wanted;
  readonly there: (bench: Bench, of: Addresses) => void;
}

interface Addresses {
  readonly old: string;
  readonly now: string;
}

function isGone(bench: Bench, address: string): void {
  const { remove } = bench.destination.capabilities;
  const left = at(bench, address).filter(({ status }) => remove === 'hard' || status === 'subscribed');
  must(remove === 'none' || left.length === 0, `nobody is left at ${address}`, left);
}

const STORIES: readonly Story[] = [
  {
    name: 'a new contact',
    wanted: ({ now }) => ({ address: now, attributes: { NOTE: 'x' } }),
    there: (bench, { now }) => mustHave(only(bench, now), 'NOTE', 'x'),
  },
  {
    name: 'an update',
    before: async (person, { now }) =>
      void (await person.arrive({ address: now, attributes: { NOTE: 'before', CITY: 'Turku' } })),
    wanted: ({ now }) => ({ address: now, attributes: { NOTE: 'x', CITY: null } }),
    there: (bench, { now }) => {
      mustHave(only(bench, now), 'NOTE', 'x');
      must(valueOf(only(bench, now), 'CITY') === null, 'CITY is cleared');
    },
  },
  {
    name: 'another address',
    before: async (person, { old }) => void (await person.arrive({ address: old, attributes: { NOTE: 'x' } })),
    wanted: ({ now }) => ({ address: now, attributes: { NOTE: 'x' } }),
    there: (bench, { old, now }) => {
      mustHave(only(bench, now), 'NOTE', 'x');
      isGone(bench, old);
    },
  },
  {
    name: 'another address, with no id known',
    before: async (person, { old }) => {
      await person.arrive({ address: old, attributes: { NOTE: 'x' } });
      person.forgetId();
    },
    wanted: ({ now }) => ({ address: now, attributes: { NOTE: 'x' } }),
    there: (bench, { old, now }) => {
      mustHave(only(bench, now), 'NOTE', 'x');
      isGone(bench, old);
    },
  },
  {
    name: 'a delete',
    before: async (person, { now }) => void (await person.arrive({ address: now })),
    wanted: () => ({ action: 'delete' }),
    there: (bench, { now }) => isGone(bench, now),
  },
];

/** Tells each story with what goes wrong at its first request, at its second, and so on, until it has no such request. */
async function atEachRequest(bench: Bench, fault: FaultRule, deadlineMs?: number): Promise<void> {
  for (const [s, story] of STORIES.entries()) {
    for (let n = 1; ; n += 1) {
      const of = { old: `old-${s}-${n}@example.com`, now: `now-${s}-${n}@example.com` };
      const person = new Person(bench, `${s}-${n}`);
      await story.before?.(person, of);
      const hit = bench.faultAt(n, [fault]);
      // The first attempt, or the repetition of one that went well: the fault meets one of them.
      await person.attempt(story.wanted(of), deadlineMs);
      bench.clear();
      await person.arrive(story.wanted(of));
      story.there(bench, of);
      if (!hit()) break;
      must(n < 20, `${story.name} takes fewer than 20 requests`);
    }
  }
}

export const doubt: readonly Case[] = [
  {
    name: 'doubt: an answer is lost after the vendor acted; the repetition leaves one contact as it shall be',
    write: AGAIN,
    run: (bench) => atEachRequest(bench, { drop: 'after' }),
  },
  {
    name: 'doubt: a request is lost on its way',
    write: AGAIN,
    run: (bench) => atEachRequest(bench, { drop: 'before' }),
  },
  {
    name: 'doubt: the time is over after the vendor acted',
    write: AGAIN,
    run: (bench) => atEachRequest(bench, { latencyMs: 30_000, latencyAt: 'after' }, 100),
  },
  {
    name: 'doubt: a crash between send and settle: the same delivery twice is one contact',
    write: AGAIN,
    async run(bench) {
      for (const [s, story] of STORIES.entries()) {
        const of = { old: `old-${s}@example.com`, now: `now-${s}@example.com` };
        const person = new Person(bench, String(s));
        await story.before?.(person, of);
        const known = person.remote;
        await bench.perform(person.parts(story.wanted(of)));
        // The next worker knows what was known before.
        await new Person(bench, String(s), known).arrive(story.wanted(of));
        story.there(bench, of);
      }
    },
  },
  {
    name: 'doubt: a value goes from A to B and back to A while the answer to B is lost',
    write: 'nothing is left out because it looks as before: `encode` knows only what is wanted, not what was delivered',
    async run(bench) {
      const ann = new Person(bench);
      await ann.arrive({ attributes: { NOTE: 'A' } });
      bench.faultAt(1, [{ drop: 'after' }]);
      await ann.attempt({ attributes: { NOTE: 'B' } });
      bench.clear();
      await ann.arrive({ attributes: { NOTE: 'A' } });
      mustHave(only(bench, 'ann@example.com'), 'NOTE', 'A');
    },
  },
  {
    name: 'doubt: an address goes from A to B and back to A while an answer on the way is lost',
    write: AGAIN,
    async run(bench) {
      for (const withId of [true, false]) {
        for (let n = 1; n < 8; n += 1) {
          const [a, b] = [`a-${n}-${withId}@example.com`, `b-${n}-${withId}@example.com`];
          const person = new Person(bench);
          await person.arrive({ address: a, attributes: { NOTE: 'x' } });
          if (!withId) person.forgetId();
          bench.faultAt(n, [{ drop: 'after' }]);
          await person.attempt({ address: b, attributes: { NOTE: 'x' } });
          bench.clear();
          await person.arrive({ address: a, attributes: { NOTE: 'x' } });
          mustHave(only(bench, a), 'NOTE', 'x');
          isGone(bench, b);
        }
      }
    },
  },
];
