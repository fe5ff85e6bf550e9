import type { ClaimFrom, Lane } from './ports.ts';

/**
 * From where claims look at the queue. They start from where the last one ended, and of a lane that was empty a moment ago from a
 * little before now: while a snapshot is held open elsewhere nothing dead can be removed, and all rows that ever were due would be
 * walked over. Times are of `performance.now()`.
 */
export interface ClaimBounds {
  /** For a claim that begins now, as `ClaimScope.after` has it. */
  begin(now: number): readonly [live: ClaimFrom, backfill: ClaimFrom];
  /** How long the claim that has just begun took. */
  took(ms: number): void;
  /**
   * What it found of a lane.
   * @param last `Claimed.dueAt` of the last one
   * @returns whether there may be more, so that the next claim need not wait
   */
  found(lane: Lane, count: number, limit: number, last: string | undefined): boolean;
  /** Something may have become due long ago: it was given back, or held up until now. */
  reset(): void;
}

const ALL = '-infinity';
const RECENT = { backMs: 3_000 };

/**
 * From the very start now and then, for rows that were committed late; where that takes long, so seldom that it takes a hundredth of
 * the time, but not more seldom than a takeover may take.
 */
const FULL_EVERY_MS = 5_000;
const FULL_SHARE = 0.01;
const LONGEST_FULL_EVERY_MS = 15_000;

export function createClaimBounds(): ClaimBounds {
  const bounds: [live: ClaimFrom, backfill: ClaimFrom] = [ALL, ALL];
  const claimedAt: [live: number, backfill: number] = [-Infinity, -Infinity];
  let begunAt = -Infinity;
  let fullAt = -Infinity;
  let fullMs = 0;
  return {
    begin(now) {
      begunAt = now;
      for (const lane of [0, 1] as const) {
        const idleMs = now - claimedAt[lane];
        if (typeof bounds[lane] === 'object' && idleMs > RECENT.backMs / 2) {
          bounds[lane] = { backMs: RECENT.backMs + Math.ceil(idleMs) };
        }
      }
      if (now - fullAt > Math.min(Math.max(FULL_EVERY_MS, fullMs / FULL_SHARE), LONGEST_FULL_EVERY_MS)) {
        bounds.fill(ALL);
        fullAt = now;
      }
      return [...bounds];
    },
    took(ms) {
      if (fullAt === begunAt) fullMs = ms;
    },
    found(lane, count, limit, last) {
      claimedAt[lane] = begunAt;
      const was = bounds[lane];
      if (count >= limit) bounds[lane] = last ?? was;
      // What it skipped, as somebody else had it locked, lies before where it ended.
      else bounds[lane] = was === ALL || typeof was === 'object' ? RECENT : ALL;
      return bounds[lane] !== RECENT;
    },
    reset() {
      bounds.fill(ALL);
    },
  };
}
