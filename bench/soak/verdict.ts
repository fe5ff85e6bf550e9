import type { Sample, Series } from './sample.ts';

/** Whether a series is as high at the end as at the beginning. */
export interface Verdict {
  readonly series: Series;
  readonly first: number;
  readonly last: number;
  /** Undefined where it is not judged. */
  readonly flat: boolean | undefined;
}

/** The part of a run that comes before what is judged: caches fill, pools open, autovacuum comes by once. */
const WARM_UP = 0.2;

/**
 * Compares the median of the last third with that of the first third, after a warm-up of a fifth. A median does not care for single
 * spikes, and the faults come as often in each third; what leaks is higher in each.
 */
export function judge(samples: readonly Sample[], series: Series): Verdict {
  const values = samples.slice(Math.floor(samples.length * WARM_UP)).flatMap((s) => s.values[series.name] ?? []);
  const third = Math.max(1, Math.floor(values.length / 3));
  const [first, last] = [median(values.slice(0, third)), median(values.slice(-third))];
  const flat = series.flat === undefined ? undefined : last <= first * series.flat.times + series.flat.more;
  return { series, first, last, flat };
}

/** Medians of a series over equal stretches of time. @param seconds of a stretch */
export function stretches(samples: readonly Sample[], name: string, seconds: number): readonly number[] {
  const found = new Map<number, number[]>();
  for (const { at, values } of samples) {
    const value = values[name];
    if (value === undefined) continue;
    const stretch = Math.floor(at / seconds);
    found.set(stretch, [...(found.get(stretch) ?? []), value]);
  }
  return [...found].toSorted(([a], [b]) => a - b).map(([, each]) => median(each));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
