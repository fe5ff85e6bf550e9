import type { Lease, Logger, Settlement, Store } from './ports.ts';
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
const MOST_WAITING = 4_000;
const RETRY_MS = 500;

/** @param onSettled called after each batch that was written */
export function createSettler(store: Store, destination: number, log: Logger, onSettled: () => void): Settler {
  const waiting = new Map<string, { lease: Lease; settlements: Settlement[] }>();
  const settled = createWake();
  let count = 0;
  let writing: Promise<void> | undefined;
  let closing = false;

  const write = async (): Promise<void> => {
    await pause(LINGER_MS);
    while (count > 0) {
      const [entry] = waiting.values();
      if (entry === undefined) return;
      const batch = entry.settlements.splice(0, BATCH);
      if (entry.settlements.length === 0) waiting.delete(entry.lease.token);
      for (;;) {
        try {
          await store.settle(destination, entry.lease, batch);
          break;
        } catch (error) {
          log.warn(
            { destination, code: codeOf(error), settlements: batch.length },
            'could not record outcomes; will try again',
          );
          if (closing) return;
          await pause(RETRY_MS);
        }
      }
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
  return {
    add(lease, settlement) {
      const entry = waiting.get(lease.token) ?? { lease, settlements: [] };
      entry.settlements.push(settlement);
      waiting.set(lease.token, entry);
      count += 1;
      start();
    },
    async room(signal) {
      while (count > MOST_WAITING && !signal.aborted) await settled.wait(RETRY_MS, signal);
    },
    async drain(ms) {
      const until = performance.now() + ms;
      while (count > 0 && performance.now() < until) await settled.wait(50);
      closing = true;
    },
  };
}

/** The code of an error, for a log line; its message may hold personal data. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}
