import type { Leased } from './lane-shared.ts';
import type { Lane } from './ports.ts';

/** Units of work that wait for a slot, live ones first. */
export interface LaneQueue {
  readonly length: number;
  /** Units that wait in a lane. */
  waiting(lane: Lane): number;
  /** Characters of all that wait: see `Claimed.size`. */
  readonly size: number;
  push(item: Leased): void;
  /** @param mayBackfill false when no more of the backfill lane may be begun now */
  shift(mayBackfill: boolean): Leased | undefined;
  /** Requests that wait in a lane, at least: a lookup or a removal may come to them. */
  load(lane: Lane): number;
  /** Empties it. */
  takeAll(): readonly Leased[];
}

export function createLaneQueue(): LaneQueue {
  const live: Leased[] = [];
  const backfill: Leased[] = [];
  let size = 0;
  const taken = (item: Leased | undefined): Leased | undefined => {
    size -= item?.delivery.size ?? 0;
    return item;
  };
  const of = (lane: Lane): Leased[] => (lane === 0 ? live : backfill);
  return {
    get length() {
      return live.length + backfill.length;
    },
    waiting: (lane) => of(lane).length,
    get size() {
      return size;
    },
    push(item) {
      size += item.delivery.size;
      of(item.delivery.lane).push(item);
    },
    shift: (mayBackfill) => taken(live.shift() ?? (mayBackfill ? backfill.shift() : undefined)),
    load: (lane) =>
      of(lane).reduce((sum, { delivery: { sendState, events } }) => sum + (sendState ? 1 : 0) + events.length, 0),
    takeAll() {
      size = 0;
      return [...live.splice(0), ...backfill.splice(0)];
    },
  };
}
