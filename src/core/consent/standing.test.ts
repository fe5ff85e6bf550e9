import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anySubject, fact, someFacts, withoutRepetitions } from '../../../test/support/consent-facts.ts';
import { standing } from './standing.ts';

const ann = { person: 'ann', address: 'ann@x.y' };

describe('the newest explicit fact wins', () => {
  test.each([
    ['nothing', [], 'unknown'],
    ['a no', [fact('opt_out', { at: 1 })], 'opted_out'],
    ['a complaint', [fact('complaint', { at: 1 })], 'opted_out'],
    ['a yes', [fact('opt_in', { at: 1 })], 'opted_in'],
    ['a no, then a yes', [fact('opt_out', { at: 1 }), fact('opt_in', { at: 2 })], 'opted_in'],
    ['a yes, then a no', [fact('opt_in', { at: 1 }), fact('opt_out', { at: 2 })], 'opted_out'],
    ['both at once', [fact('opt_in', { at: 5 }), fact('opt_out', { at: 5 })], 'opted_out'],
    ['a yes without a date', [fact('opt_in', { at: undefined })], 'unknown'],
    [
      'a no without a date counts when it came',
      [fact('opt_out', { at: undefined, receivedAt: 9 }), fact('opt_in', { at: 8 })],
      'opted_out',
    ],
    [
      'and no longer after',
      [fact('opt_out', { at: undefined, receivedAt: 9 }), fact('opt_in', { at: 10 })],
      'opted_in',
    ],
    [
      'a clock that is ahead gains nothing',
      [fact('opt_in', { at: 900, receivedAt: 5 }), fact('opt_out', { at: 6 })],
      'opted_out',
    ],
    ['a bounce says nothing', [fact('bounce', { at: 1 })], 'unknown'],
  ] as const)('%s', (_name, facts, said) => {
    expect(standing(facts, ann).said).toBe(said);
  });
});

describe('whose it is', () => {
  const no = fact('opt_out', { at: 1 });
  test('a no goes with the person to another address, and stays with the address for another person', () => {
    expect(standing([no], { person: 'ann', address: 'new@x.y' }).said).toBe('opted_out');
    expect(standing([no], { person: 'bob', address: 'ann@x.y' }).said).toBe('opted_out');
    expect(standing([no], { address: 'ann@x.y' }).said).toBe('opted_out');
    expect(standing([no], { person: 'bob', address: 'bob@x.y' }).said).toBe('unknown');
  });

  test('a yes of another person at the address brings nobody back', () => {
    const yes = fact('opt_in', { at: 2, person: 'bob' });
    expect(standing([no, yes], ann).said).toBe('opted_out');
    expect(standing([no, yes], { person: 'bob', address: 'ann@x.y' }).said).toBe('opted_in');
  });

  test('nobody and no address are not each other', () => {
    expect(standing([fact('opt_out', { at: 1, person: undefined, address: undefined })], {}).said).toBe('unknown');
  });
});

describe('topics', () => {
  const about = (facts: readonly ReturnType<typeof fact>[]) => standing(facts, { ...ann, topic: 'news' }).said;
  test('a no to another topic is none to this one, or to everything', () => {
    const other = fact('opt_out', { at: 1, topic: 'offers' });
    expect([about([other]), standing([other], ann).said]).toEqual(['unknown', 'unknown']);
  });

  test('a no to everything is one to each topic, until a yes to it', () => {
    const none = fact('opt_out', { at: 2 });
    expect(about([none])).toBe('opted_out');
    expect(about([none, fact('opt_in', { at: 1, topic: 'news' })])).toBe('opted_out');
    const back = [none, fact('opt_in', { at: 3, topic: 'news' })];
    expect([about(back), standing(back, ann).said]).toEqual(['opted_in', 'opted_out']);
  });

  test('a yes to everything does not undo a no to a topic', () => {
    expect(about([fact('opt_out', { at: 1, topic: 'news' }), fact('opt_in', { at: 2 })])).toBe('opted_out');
  });
});

describe('bounces', () => {
  const bounce = fact('bounce', { at: 5, person: undefined });
  test('belong to the address', () => {
    expect(standing([bounce], ann).bounces).toBe(true);
    expect(standing([bounce], { person: 'ann', address: 'new@x.y' }).bounces).toBe(false);
  });

  test('until a yes with that address', () => {
    expect(standing([bounce, fact('opt_in', { at: 6 })], ann).bounces).toBe(false);
    expect(standing([bounce, fact('opt_in', { at: 5 })], ann).bounces).toBe(true);
    expect(standing([bounce, fact('opt_in', { at: 6, address: 'new@x.y' })], ann).bounces).toBe(true);
  });
});

test('the order of the facts and their repetitions change nothing', () => {
  fc.assert(
    fc.property(someFacts, anySubject, fc.infiniteStream(fc.nat()), (facts, subject, order) => {
      const told = standing(withoutRepetitions(facts), subject);
      const again = [...facts, ...facts.map((each) => ({ ...each, receivedAt: each.receivedAt + 10 }))];
      const places = new Map(again.map((each) => [each, order.next().value ?? 0]));
      const shuffled = again.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
      expect(standing(withoutRepetitions(shuffled), subject)).toEqual(told);
    }),
  );
});

test('whoever has said no after all else is opted out', () => {
  fc.assert(
    fc.property(someFacts, anySubject, (facts, subject) => {
      const somebody = (subject.person ?? subject.address) !== undefined;
      const { person, address, topic } = subject;
      const no = fact('opt_out', { person, address, topic, at: undefined, receivedAt: 1_000 });
      expect(standing([...facts, no], subject).said).toBe(somebody ? 'opted_out' : 'unknown');
    }),
  );
});
