import type { DestinationState, Lease, Logger, Settlement, Store } from './ports.ts';
import { codeOf, createTrouble } from './trouble.ts';
import { createWake, pause } from './wake.ts';

/** Collects settlements and writes them in batches. */
export interface Settler {
  add(lease: Lease, settlement: Settlement): void;
  /** Waits until there is room, so that answers never pile up while the database is away. */
  room(signal: AbortSignal): Promise<void>;
  /** Writes what is left; gives up after `ms`: the leases then run out and the contacts are sent again. */
  drain(ms: number): Promise<void>;
}

const LINGER_MS = 4;
const BATCH = 500;
const MOST_WAITING = 2_000;
/** Nothing more is sent while an outcome has waited this long: its lease, and those behind it, must not run out here. */
const LONGEST_WAITING_MS = 2_000;
const RETRY_MS = 500;

/** @param onSettled called after each batch that was written */
export function createSettler(
  store: Store,
  destination: Pick<DestinationState, 'id' | 'name'>,
  log: Logger,
  onSettled: () => void,
): Settler {
  const waiting = new Map<string, { lease: Lease; settlements: Settlement[]; since: number }>();
  const settled = createWake();
  const trouble = createTrouble(log, { destination: destination.name }, 'record outcomes');
  let count = 0;
  let writing: Promise<void> | undefined;
  let writingSince = Infinity;
  let closing = false;

  // False when we are closing and the database is away: the rest is left to the leases.
  const record = async (lease: Lease, batch: readonly Settlement[]): Promise<boolean> => {
    for (;;) {
      try {
        await store.settle(destination.id, lease, batch);
        trouble.worked();
        return true;
      } catch (error) {
        if (isAboutData(error)) return await apart(lease, batch, error);
        trouble.failed(error);
        if (closing) return false;
        await pause(RETRY_MS);
      }
    }
  };
  // What the database will never take must not hold up the rest: it is found by halving, and its lease runs out.
  const apart = async (lease: Lease, batch: readonly Settlement[], error: unknown): Promise<boolean> => {
    const [first] = batch;
    if (batch.length > 1) {
      const half = batch.length >> 1;
      return (await record(lease, batch.slice(0, half))) && (await record(lease, batch.slice(half)));
    }
    log.error(
      { destination: destination.name, contact: first?.delivery.contactId, code: codeOf(error) },
      'an outcome could not be recorded; the contact is sent again when its lease is over',
    );
    return true;
  };
  const write = async (): Promise<void> => {
    await pause(LINGER_MS);
    while (count > 0) {
      const [entry] = waiting.values();
      if (entry === undefined) return;
      const batch = entry.settlements.splice(0, BATCH);
      if (entry.settlements.length === 0) waiting.delete(entry.lease.token);
      writingSince = entry.since;
      if (!(await record(entry.lease, batch))) return;
      writingSince = Infinity;
      count -= batch.length;
      settled.ring();
      onSettled();
    }
  };
  const start = (): void => {
    writing ??= write().finally(() => {
      writing = undefined;
      if (count > 0 && !closing) start();
    });
  };
  const isFull = (): boolean => {
    const [first] = waiting.values();
    const since = Math.min(writingSince, first?.since ?? Infinity);
    return count > MOST_WAITING || performance.now() - since > LONGEST_WAITING_MS;
  };
  return {
    add(lease, settlement) {
      const entry = waiting.get(lease.token) ?? { lease, settlements: [], since: performance.now() };
      entry.settlements.push(settlement);
      waiting.set(lease.token, entry);
      count += 1;
      start();
    },
    async room(signal) {
      while (isFull() && !signal.aborted) await settled.wait(RETRY_MS, signal);
    },
    async drain(ms) {
      const until = performance.now() + ms;
      const isOver = (): boolean => count === 0 || performance.now() >= until;
      while (!isOver()) await settled.wait(50);
      closing = true;
    },
  };
}

/** Whether the store refuses what it was given, so that the same again can't work (SQLSTATE classes 21, 22, 23, 42, P0). */
function isAboutData(error: unknown): boolean {
  return /^(?:2[123]|42|P0)[0-9A-Z]{3}$/.test(codeOf(error));
}
