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

/**
 * How long more answers are let come together. A settle costs about the same for one as for many, so under load, when it takes longer,
 * more of them share one.
 */
const LEAST_LINGER_MS = 4;
const LONGEST_LINGER_MS = 40;
const BATCH = 500;
const MOST_WAITING = 2_000;
/** Nothing more is sent while an outcome has waited this long: its lease, and those behind it, must not run out here. */
const LONGEST_WAITING_MS = 2_000;
const RETRY_MS = 500;

interface Waiting {
  readonly lease: Lease;
  readonly settlement: Settlement;
  /** When its request ended, of `performance.now()`. */
  readonly since: number;
}

/** @param onAgain called when some of a batch are due again */
export function createSettler(
  store: Store,
  destination: Pick<DestinationState, 'id' | 'name'>,
  log: Logger,
  onAgain: () => void,
): Settler {
  const waiting: Waiting[] = [];
  const settled = createWake();
  const trouble = createTrouble(log, { destination: destination.name }, 'record outcomes');
  let writing: Promise<void> | undefined;
  let writingSince = Infinity;
  let closing = false;
  let tookMs = 0;
  let inHand = 0;

  // False when we are closing and the database is away: the rest is left to the leases.
  const record = async (batch: readonly Waiting[]): Promise<boolean> => {
    const [first] = batch;
    if (first === undefined) return true;
    for (;;) {
      try {
        const again = await store.settle(destination.id, first.lease, batch.map(underItsLease));
        trouble.worked();
        if (again > 0) onAgain();
        return true;
      } catch (error) {
        if (isAboutData(error)) return await apart(batch, error);
        trouble.failed(error);
        if (closing) return false;
        await pause(RETRY_MS);
      }
    }
  };
  // What the database will never take must not hold up the rest: it is found by halving, and its lease runs out.
  const apart = async (batch: readonly Waiting[], error: unknown): Promise<boolean> => {
    const [first] = batch;
    if (batch.length > 1) {
      const half = batch.length >> 1;
      return (await record(batch.slice(0, half))) && (await record(batch.slice(half)));
    }
    log.error(
      { destination: destination.name, contact: first?.settlement.delivery.contactId, code: codeOf(error) },
      'an outcome could not be recorded; the contact is sent again when its lease is over',
    );
    return true;
  };
  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      if (waiting.length < BATCH) await pause(Math.min(LONGEST_LINGER_MS, Math.max(LEAST_LINGER_MS, 2 * tookMs)));
      const batch = waiting.splice(0, lengthOfBatch(waiting));
      inHand = batch.length;
      writingSince = batch[0]?.since ?? Infinity;
      const begunAt = performance.now();
      if (!(await record(batch))) return;
      writingSince = Infinity;
      tookMs = performance.now() - begunAt;
      inHand = 0;
      settled.ring();
    }
  };
  const start = (): void => {
    writing ??= write().finally(() => {
      writing = undefined;
      if (waiting.length > 0 && !closing) start();
    });
  };
  const isFull = (): boolean => {
    const since = Math.min(writingSince, waiting[0]?.since ?? Infinity);
    return waiting.length + inHand > MOST_WAITING || performance.now() - since > LONGEST_WAITING_MS;
  };
  return {
    add(lease, settlement) {
      waiting.push({ lease, settlement, since: performance.now() });
      start();
    },
    async room(signal) {
      while (isFull() && !signal.aborted) await settled.wait(RETRY_MS, signal);
    },
    async drain(ms) {
      const until = performance.now() + ms;
      const isOver = (): boolean => waiting.length + inHand === 0 || performance.now() >= until;
      while (!isOver()) await settled.wait(50);
      closing = true;
    },
  };
}

/** Whether the store refuses what it was given, so that the same again can't work (SQLSTATE classes 21, 22, 23, 42, P0). */
function isAboutData(error: unknown): boolean {
  return /^(?:2[123]|42|P0)[0-9A-Z]{3}$/.test(codeOf(error));
}

function underItsLease({ lease, settlement }: Waiting): Settlement {
  return { ...settlement, token: lease.token };
}

/** As many as go into one settle: never a contact twice, as it may have been sent under another lease since. */
function lengthOfBatch(waiting: readonly Waiting[]): number {
  const contacts = new Set<string>();
  for (const { settlement } of waiting) {
    if (contacts.size === BATCH || contacts.has(settlement.delivery.contactId)) break;
    contacts.add(settlement.delivery.contactId);
  }
  return contacts.size;
}
