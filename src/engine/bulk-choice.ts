import type { Bulk } from '../core/destination.ts';
import type { Bucket, Lane } from './ports.ts';

/** With less waiting than is sent one by one in this time, nothing is sent together. */
const WORTH_MS = 15_000;
const LEAST = 50;
/** How long to let more come together, of each lane. */
const GATHER_MS: Readonly<Record<Lane, number>> = { 0: 1_000, 1: 5_000 };

/** How many contacts must wait before one request takes them together; undefined when none ever shall. */
export function leastTogether(
  bulk: Bulk<unknown> | undefined,
  config: unknown,
  buckets: readonly Bucket[],
): number | undefined {
  const asked = bulk?.least(config);
  if (bulk === undefined || asked === null) return undefined;
  const slowest = Math.max(0, ...buckets.map((b) => b.intervalUs));
  const worth = slowest === 0 ? bulk.most : Math.ceil((WORTH_MS * 1_000) / slowest);
  return Math.min(bulk.most, asked ?? Math.max(LEAST, worth));
}

/** What to do about the backlog of a lane. */
export type Choice = 'single' | 'gather' | 'send';

/**
 * By backlog: a few go one by one, many together, once a request is full or no more came for a while.
 * @param oldestMs how long the first of them has waited
 */
export function choose(
  backlog: { waiting: number; oldestMs: number },
  least: number,
  most: number,
  lane: Lane,
): Choice {
  if (backlog.waiting < least) return 'single';
  return backlog.waiting >= most || backlog.oldestMs >= GATHER_MS[lane] ? 'send' : 'gather';
}
