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
/** Commits that take no longer than this after the due time was written are seen by the next claim. */
const RECENT = { backMs: 300 };

/**
 * Further back now and then, for what was committed later than that. How long a look takes says how much there is to walk over: it comes
 * so seldom that it takes only a share of the time. What was late by some seconds is found no later than a takeover may be.
 */
const LOOKS: readonly Look[] = [
  { from: { backMs: 2_000 }, leastMs: 1_000, share: 0.02, longestMs: 5_000 },
  { from: { backMs: 20_000 }, leastMs: 5_000, share: 0.01, longestMs: 15_000 },
  { from: ALL, leastMs: 5_000, share: 0.001, longestMs: 600_000 },
];

interface Look {
  readonly from: ClaimFrom;
  readonly leastMs: number;
  readonly share: number;
  readonly longestMs: number;
}

/** What is known of a lane. */
interface Known {
  /** From where it was last looked at, and when. */
  from: ClaimFrom;
  at: number;
  /** From where the next claim looks, seen from then. */
  next: ClaimFrom;
  /** Where the claims began of which each was full. */
  full: { readonly from: ClaimFrom; readonly at: number };
}

export function createClaimBounds(): ClaimBounds {
  const unknown = (): Known => ({ from: ALL, at: -Infinity, next: ALL, full: { from: ALL, at: -Infinity } });
  const lanes = [unknown(), unknown()] as const;
  const looks = LOOKS.map((look) => ({ ...look, at: -Infinity, tookMs: 0 }));
  let begunAt = -Infinity;
  return {
    begin(now) {
      begunAt = now;
      const due = looks.findLastIndex(
        ({ at, tookMs, leastMs, share, longestMs }) =>
          now - at > Math.min(Math.max(leastMs, tookMs / share), longestMs),
      );
      for (const nearer of looks.slice(0, due + 1)) nearer.at = now;
      for (const lane of lanes) {
        lane.from = now - lane.at > RECENT.backMs / 2 ? since(lane.next, lane.at, now) : lane.next;
        const look = looks[due];
        if (look === undefined) continue;
        // Of a lane that is full nothing else shows that it has an end.
        const from = isPlace(lane.from) ? since(lane.full.from, lane.full.at, now) : lane.from;
        lane.from = farther(from, look.from);
        // Owed until this lane is claimed of: there may be no room for it now.
        lane.next = lane.from;
        lane.at = now;
      }
      return [lanes[0].from, lanes[1].from];
    },
    took(ms) {
      for (const look of looks) if (look.at === begunAt) look.tookMs = ms;
    },
    found(which, count, limit, last) {
      const lane = lanes[which];
      lane.at = begunAt;
      if (count >= limit) {
        if (!isPlace(lane.from)) lane.full = { from: lane.from, at: begunAt };
        lane.next = last ?? lane.from;
      } else {
        // What it skipped, as somebody else had it locked, lies before where it ended.
        lane.next = isPlace(lane.from) ? since(lane.full.from, lane.full.at, begunAt) : RECENT;
      }
      return lane.next !== RECENT;
    },
    reset() {
      for (const lane of lanes) Object.assign(lane, unknown());
    },
  };
}

/** Whether it is where another claim ended. */
function isPlace(from: ClaimFrom): boolean {
  return typeof from === 'string' && from !== ALL;
}

/** The same place, seen from later. */
function since(from: ClaimFrom, at: number, now: number): ClaimFrom {
  return typeof from === 'object' ? { backMs: from.backMs + Math.ceil(now - at) } : from;
}

function farther(a: ClaimFrom, b: ClaimFrom): ClaimFrom {
  if (typeof a !== 'object' || typeof b !== 'object') return ALL;
  return a.backMs > b.backMs ? a : b;
}
