import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultBox } from './fault-box.ts';
import { activate, decideFault, type FaultCall, type FaultRule } from './faults.ts';
import { seededRandom } from './seeded-random.ts';

const call: FaultCall = {
  destination: 'mailtrap',
  method: 'PATCH',
  path: '/api/contacts/a%40b.co',
  emails: ['a@b.co'],
  writesContact: true,
};
const always = (): number => 0;

function decide(rules: readonly FaultRule[], of: FaultCall = call): ReturnType<typeof decideFault> {
  return decideFault(rules.map(activate), of, always);
}

describe('which calls a rule acts on', () => {
  it.each([
    [{ destination: 'mailtrap' }, true],
    [{ destination: 'brevo' }, false],
    [{ method: 'patch' }, true],
    [{ method: 'GET' }, false],
    [{ path: '^/api/contacts/' }, true],
    [{ path: '/lists' }, false],
    [{ email: 'A@B.CO' }, true],
    [{ email: 'c@b.co' }, false],
    [{ method: 'PATCH', email: 'c@b.co' }, false],
  ])('match %j: %s', (match, acts) => {
    expect(decide([{ match, status: 500 }]) !== null).toBe(acts);
  });

  it('rejects writes of the one address only', () => {
    const rules = [{ reject: 'A@b.co' }];
    expect(decide(rules)?.reject).toBe(true);
    expect(decide(rules, { ...call, writesContact: false })).toBeNull();
    expect(decide(rules, { ...call, emails: ['c@b.co'] })).toBeNull();
  });
});

it('adds up waits and lets the first rule win where two say the same thing', () => {
  const verdict = decide([
    { latencyMs: 100 },
    { status: 503, retryAfter: 2 },
    { status: 500, latencyMs: 50 },
    { latencyMs: 7, latencyAt: 'after', drop: 'after' },
  ]);
  expect(verdict).toMatchObject({ waitBeforeMs: 150, waitAfterMs: 7, status: 503, retryAfter: 2, drop: 'after' });
});

it('acts on about its rate of the calls, the same ones for the same seed', () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, rate) => {
      const run = (): number[] => {
        const box = new FaultBox(seededRandom(seed), [{ status: 500, rate }]);
        return Array.from({ length: 400 }, () => (box.decide(call) === null ? 0 : 1));
      };
      const [first, second] = [run(), run()];
      expect(first).toEqual(second);
      // Five standard deviations and a little: a fair draw all but never leaves this.
      const acted = first.reduce((sum, one) => sum + one, 0);
      expect(Math.abs(acted - rate * 400)).toBeLessThanOrEqual(5.5 * Math.sqrt(400 * rate * (1 - rate)) + 3);
    }),
    { numRuns: 60 },
  );
});

it('stops after its count, for bulk rows too, and never before another rule has acted', () => {
  const box = new FaultBox(always, [
    { status: 500, count: 2 },
    { reject: 'x@y.co', count: 1 },
  ]);
  expect([
    box.rejectsRow('a@b.co', { destination: 'mailtrap', method: 'POST', path: '/' }),
    box.rejectsRow('X@y.co', { destination: 'mailtrap', method: 'POST', path: '/' }),
  ]).toEqual([false, true]);
  expect(box.rejectsRow('x@y.co', { destination: 'mailtrap', method: 'POST', path: '/' })).toBe(false);
  expect(box.list().map(({ left }) => left)).toEqual([2, 0]);
  expect([1, 2, 3].map(() => box.decide(call)?.status ?? null)).toEqual([500, 500, null]);
});
