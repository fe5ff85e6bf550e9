import { expect, test } from 'vitest';
import { plot } from '../../bench/soak/plot.ts';
import type { Sample, Series } from '../../bench/soak/sample.ts';
import { judge, stretches } from '../../bench/soak/verdict.ts';

const SERIES: Series = { name: 'x', unit: 'MB', group: 'g', flat: { times: 1.1, more: 5 } };

const samples = (count: number, value: (n: number) => number | undefined): readonly Sample[] =>
  Array.from({ length: count }, (_, n) => {
    const found = value(n);
    return { at: n * 5, values: found === undefined ? {} : { x: found } };
  });

test('what stays within the bounds is flat, whatever single values do and however it began', () => {
  const noisy = samples(240, (n) => (n < 40 ? n * 2 : 100 + (n % 7) + (n % 31 === 0 ? 900 : 0)));
  expect(judge(noisy, SERIES)).toMatchObject({ first: 103, last: 103, flat: true });
});

test('what grows is not flat, also slowly and also where values are missing', () => {
  const leak = (n: number): number => 100 + n * 0.2;
  expect(judge(samples(240, leak), SERIES).flat).toBe(false);
  expect(
    judge(
      samples(240, (n) => (n % 3 === 0 ? undefined : leak(n))),
      SERIES,
    ).flat,
  ).toBe(false);
  expect(
    judge(
      samples(240, (n) => 300 - n),
      SERIES,
    ).flat,
  ).toBe(true);
});

test('a series that is not judged, or was never seen, is no success', () => {
  expect(
    judge(
      samples(9, () => 1),
      { name: 'x', unit: '', group: 'g' },
    ).flat,
  ).toBeUndefined();
  expect(
    judge(
      samples(9, () => undefined),
      SERIES,
    ).flat,
  ).toBe(false);
});

test('medians over stretches of time', () => {
  expect(
    stretches(
      samples(6, (n) => [1, 9, 2, 5, 5, 80][n]),
      'x',
      15,
    ),
  ).toEqual([2, 5]);
});

test('the picture has each series and each mark, and words are escaped', () => {
  const svg = plot(
    'A & B',
    samples(10, (n) => n),
    [SERIES, { ...SERIES, name: 'absent <1>' }],
    [{ at: 10, what: 'cuts' }],
  );
  expect(svg).toContain('A &amp; B');
  expect(svg).toContain('absent &lt;1&gt;');
  expect(svg.match(/<polyline/g)).toHaveLength(2);
  expect(svg).not.toContain('NaN');
  expect(svg).not.toContain('Infinity');
});
