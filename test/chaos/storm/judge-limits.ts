import { LIMITS } from './destinations.ts';
import type { Evidence } from './evidence.ts';

/** No window holds more requests than the limit, by when they left the workers. */
export function judgeLimits({ sends }: Evidence): readonly string[] {
  return LIMITS.flatMap(({ destination, of, requests, perMs }) => {
    const times = sends
      .filter(({ path }) => of.test(path))
      .map(({ at }) => at)
      .toSorted((a, b) => a - b);
    const most = mostIn(times, perMs);
    return most > requests ? [`${destination}: ${most} requests in ${perMs} ms, and ${requests} are allowed`] : [];
  });
}

/** The most that fall into any window of so many ms; times are sorted. */
export function mostIn(times: readonly number[], perMs: number): number {
  let most = 0;
  let first = 0;
  for (const [place, at] of times.entries()) {
    while (times[first]! <= at - perMs) first += 1;
    most = Math.max(most, place - first + 1);
  }
  return most;
}
