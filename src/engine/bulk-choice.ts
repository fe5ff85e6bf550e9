import type { Bulk } from '../core/bulk.ts';
import type { Destination } from '../core/destination.ts';
import type { Backlog } from './job-ports.ts';
import { bucketsFor } from './limiters.ts';
import type { Bucket } from './ports.ts';

/** With less waiting than is sent one by one in this time, nothing is sent together. */
const WORTH_MS = 15_000;
const LEAST = 50;
/** How long to let more come together: of a backfill that is still at it, and of all others. */
const GATHER_WALK_MS = 5_000;
const GATHER_MS = 500;

/** Contacts of one request. */
export function mostTogether(bulk: Bulk<unknown>, config: unknown): number {
  return Math.min(bulk.most, bulk.mostOf?.(config) ?? bulk.most);
}

/** How many contacts must wait before one request takes them together; undefined when none ever shall. */
export function leastTogether(
  bulk: Bulk<unknown> | undefined,
  config: unknown,
  buckets: readonly Bucket[],
): number | undefined {
  const asked = bulk?.least(config);
  if (bulk === undefined || asked === null) return undefined;
  const slowest = Math.max(0, ...buckets.map((b) => b.intervalUs));
  const most = mostTogether(bulk, config);
  const worth = slowest === 0 ? most : Math.ceil((WORTH_MS * 1_000) / slowest);
  return Math.min(most, asked ?? Math.max(LEAST, worth));
}

/** What to do about the backlog of a lane. */
export type Choice = 'single' | 'gather' | 'send';

/** By backlog: a few go one by one, many together, once a request is full or no more came for a while. */
export function choose({ waiting, oldestMs, growing }: Backlog, least: number, most: number): Choice {
  if (waiting < least) return 'single';
  return waiting >= most || oldestMs >= (growing ? GATHER_WALK_MS : GATHER_MS) ? 'send' : 'gather';
}

/** The least time that so many contacts take by a destination's own limits, in seconds. */
export function leastSeconds(contacts: number, destination: Destination<unknown>, config: unknown): number {
  const limits = destination.limits(config);
  const single = bucketsFor(limits, 'contact');
  const least = leastTogether(destination.bulk, config, single);
  const many = least !== undefined && contacts >= least;
  const together = many && destination.bulk !== undefined ? mostTogether(destination.bulk, config) : 1;
  const slowest = Math.max(0, ...(many ? bucketsFor(limits, 'bulk') : single).map((b) => b.intervalUs));
  return (Math.ceil(contacts / together) * slowest) / 1_000_000;
}
