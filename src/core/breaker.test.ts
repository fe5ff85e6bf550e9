import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BreakerState, CLOSED, DEFAULT_BREAKER_TIMES, permit, record } from './breaker.ts';
import type { OutcomeKind } from './outcome.ts';

const anyOutcome = fc.constantFrom<OutcomeKind>('delivered', 'retry', 'throttle', 'reject', 'config', 'unknown');

/** Pauses, waits the pause out and fails again, `times` times. */
function failAgain(times: number): { state: BreakerState; pauses: number[] } {
  let state = record(CLOSED, 'config', 0);
  const pauses = [state.until];
  for (let i = 1; i < times; i++) {
    const now = state.until;
    state = record(permit(state, now).state, 'config', now);
    pauses.push(state.until - now);
  }
  return { state, pauses };
}

describe('breaker', () => {
  test('pauses grow from 30 s to 10 minutes', () => {
    expect(failAgain(7).pauses).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  test('while paused nothing goes; afterwards exactly one probe', () => {
    const open = record(CLOSED, 'config', 1_000);
    expect(permit(open, 30_999)).toMatchObject({ allow: 'none', waitMs: 1 });
    const probe = permit(open, 31_000);
    expect(probe.allow).toBe('one');
    expect(permit(probe.state, 31_000)).toMatchObject({ allow: 'none', waitMs: 60_000 });
  });

  test('a probe that never reports is replaced', () => {
    const probe = permit(record(CLOSED, 'config', 0), 30_000).state;
    expect(permit(probe, 90_000).allow).toBe('one');
  });

  test.each<OutcomeKind>(['delivered', 'reject', 'throttle'])(
    'a probe answered with %s closes it for good',
    (outcome) => {
      const probe = permit(failAgain(4).state, 10_000_000).state;
      const after = record(probe, outcome, 10_000_001);
      expect(after).toEqual(CLOSED);
      expect(record(after, 'config', 0).until).toBe(30_000);
    },
  );

  test.each<OutcomeKind>(['retry', 'unknown'])(
    'a probe that ends in %s repeats the pause without growing',
    (outcome) => {
      const { state } = failAgain(2);
      const now = state.until;
      const after = record(permit(state, now).state, outcome, now);
      expect(after).toEqual({ phase: 'open', pauses: 2, until: now + 60_000 });
    },
  );

  test('answers to requests sent before the pause neither lengthen nor end it', () => {
    const open = record(CLOSED, 'config', 0);
    fc.assert(
      fc.property(anyOutcome, fc.nat(), (outcome, now) => {
        expect(record(open, outcome, now)).toBe(open);
      }),
    );
  });

  test('ordinary trouble never pauses a working destination', () => {
    for (const outcome of ['retry', 'unknown', 'throttle', 'reject', 'delivered'] as const) {
      expect(record(CLOSED, outcome, 5)).toEqual(CLOSED);
    }
  });

  test('whatever happens, it is never shut for longer than the longest pause', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ gap: fc.nat(700_000), outcome: anyOutcome }), { maxLength: 50 }), (steps) => {
        let state = CLOSED;
        let now = 0;
        for (const { gap, outcome } of steps) {
          now += gap;
          const asked = permit(state, now);
          state = asked.allow === 'none' ? asked.state : record(asked.state, outcome, now);
          expect(permit(state, now + DEFAULT_BREAKER_TIMES.longestPauseMs).allow).not.toBe('none');
        }
      }),
    );
  });
});
