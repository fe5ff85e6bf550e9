import type { Destination } from '../core/destination.ts';
import { limitsOf, type Traffic } from '../core/limits.ts';
import { ratePlan } from '../core/rate.ts';
import type { AttributePlan } from '../core/destination.ts';
import { leastTogether, mostTogether } from './bulk-choice.ts';
import { bucketsFor } from './limiters.ts';
import type { Claimed } from './ports.ts';

/** How many requests of one kind are going to be made. */
export interface PlannedCalls {
  readonly method: string;
  readonly path: string;
  readonly traffic: Traffic;
  readonly count: number;
}

/** Whether one request can take a contact along with others: what `fitsMany` says of a row, and the destination of a delivery. */
export function fitsTogether(
  delivery: Claimed,
  destination: Destination<unknown>,
  plan: AttributePlan,
  config: unknown,
): boolean {
  const { bulk } = destination;
  const { action, address, remote, carryFrom, takeover, consent, astray } = delivery;
  if (bulk === undefined || action !== 'upsert' || carryFrom !== null || takeover || astray === true) return false;
  if (!bulk.consents.includes(consent) || (remote?.met === true && consent !== 'basis')) return false;
  if (remote !== null && ((remote.address ?? address) !== address || (remote.leftovers ?? []).length > 0)) return false;
  return bulk.alone?.(delivery, plan, config) !== true;
}

/**
 * How those who can go together do, by how many wait: see `choose`. A request may take fewer for its size, so there may be more of them.
 * @param waiting all for whom something is to be sent
 * @returns contacts of one request; undefined when each goes alone
 */
export function togetherBy(waiting: number, destination: Destination<unknown>, config: unknown): number | undefined {
  const { bulk } = destination;
  const least = leastTogether(bulk, config, bucketsFor(destination.limits(config), 'contact'));
  return bulk === undefined || least === undefined || waiting < least ? undefined : mostTogether(bulk, config);
}

/** The least time that requests take by a destination's own limits, in seconds: whatever limit is the slowest decides. */
export function secondsFor(calls: readonly PlannedCalls[], destination: Destination<unknown>, config: unknown): number {
  const limits = destination.limits(config);
  const counted = new Map<string, number>();
  for (const { traffic, count } of calls) {
    for (const limit of limitsOf(limits, traffic)) {
      counted.set(limit.name, (counted.get(limit.name) ?? 0) + count * ratePlan(limit).intervalUs);
    }
  }
  return Math.max(0, ...counted.values()) / 1_000_000;
}
