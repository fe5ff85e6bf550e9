import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RateWindow } from './rate-window.ts';

it('never allows more than its limit in any window, and refuses none that would fit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 80 }),
      (limit, steps) => {
        let time = 0;
        const window = new RateWindow(limit, 100, () => time);
        const taken: number[] = [];
        for (const step of steps) {
          time += step;
          const inside = taken.filter((at) => at > time - 100).length;
          expect(window.remaining()).toBe(limit - inside);
          if (window.remaining() < 1) continue;
          window.take();
          taken.push(time);
        }
      },
    ),
  );
});

it('has no limit when told so, and forgets when cleared', () => {
  const none = new RateWindow(Infinity, 100, () => 0);
  none.take();
  expect(none.remaining()).toBe(Infinity);
  const one = new RateWindow(1, 100, () => 0);
  one.take();
  one.clear();
  expect(one.remaining()).toBe(1);
});
