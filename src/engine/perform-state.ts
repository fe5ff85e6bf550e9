import type { Destination, Operation, RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Claimed } from './ports.ts';
import type { Done, Requests, Sender } from './requests.ts';

/** What became of a contact's state. */
export interface StateDone extends Done {
  /** Set when the upsert was accepted and a later operation of the same delivery was not. */
  readonly partial?: { readonly remoteId: string | undefined } | undefined;
  /** See `Settlement.foundAt`. */
  readonly foundAt?: string | undefined;
}

const DELIVERED: Outcome = { kind: 'delivered' };
const NO_TIME: Outcome = { kind: 'retry', code: 'no_time', message: 'No time was left for a further request.' };

/**
 * Sends the state of a contact that shall be there: reads first what the destination has where that matters, then the
 * operations in order.
 * @returns undefined when nothing was sent and nothing may be
 */
export async function sendState(
  delivery: Claimed,
  requests: Requests,
  { destination, config, plan }: Sender,
): Promise<StateDone | undefined> {
  const { carried, strayed, reads } = readsBefore(delivery, destination, config);
  const { remote } = delivery;
  let read = delivery;
  let latencyMs = 0;
  for (const wanted of reads) {
    const exchange = destination.lookup?.(wanted, config);
    if (exchange === undefined) throw new TypeError(`${destination.id} looks first and has no lookup`);
    const found = await requests.read(exchange);
    if (found === undefined) return requests.asked ? { outcome: NO_TIME, latencyMs } : undefined;
    if ('outcome' in found) return found;
    latencyMs += found.latencyMs;
    if (carried.includes(wanted)) read = afterCarry(read, found.value);
    else if (wanted !== delivery.remote) read = afterMeeting(read, found.value);
    if (strayed && wanted === delivery.remote) read = whereFound(read, found.value);
  }
  const done = await sendOperations(destination.encode(read, plan, config), requests);
  if (done === undefined) return undefined;
  const at = strayed ? read.remote?.address : remote?.address;
  const foundAt = at === remote?.address ? undefined : (at ?? undefined);
  return { ...done, latencyMs: done.latencyMs + latencyMs, foundAt };
}

/** What is read before a contact's state is sent. */
interface ReadsBefore {
  /** All of them, in order. */
  readonly reads: readonly RemoteContact[];
  /** Those whose subscription moves with the person. */
  readonly carried: readonly RemoteContact[];
  /** Whether an attempt in doubt may have moved the contact. */
  readonly strayed: boolean;
}

/** Decides it, of an upsert or an opt-out; nothing where a destination can't be asked about one contact. */
export function readsBefore(delivery: Claimed, destination: Destination<unknown>, config: unknown): ReadsBefore {
  const { action, address, remote, astray } = delivery;
  const carried = destination.lookup === undefined ? [] : carriedFrom(delivery);
  const reads = [...carried];
  const strayed = destination.lookup !== undefined && action === 'upsert' && astray === true;
  if (strayed && remote !== null && !reads.includes(remote)) reads.push(remote);
  const isStranger = action === 'upsert' && remote?.id == null && address !== null;
  if (isStranger && destination.looksFirst?.(config) === true) reads.push({ address, id: null });
  return { reads, carried, strayed };
}

/**
 * Sends operations in order, stopping at the first that is not accepted.
 * @returns undefined when nothing was sent in the whole unit and nothing may be
 */
export async function sendOperations(
  operations: readonly Operation[],
  requests: Requests,
): Promise<StateDone | undefined> {
  let latencyMs = 0;
  let accepted: Outcome | undefined;
  let partial: StateDone['partial'];
  for (const operation of operations) {
    const done = await requests.operate(operation);
    // Not given back once something was asked: the wait that grows with each try keeps this from going in circles.
    if (done === undefined) return requests.asked ? { outcome: NO_TIME, latencyMs, partial } : undefined;
    latencyMs += done.latencyMs;
    if (done.outcome.kind !== 'delivered') return { outcome: done.outcome, latencyMs, partial };
    if (operation.kind !== 'delete') accepted = done.outcome;
    if (operation.kind === 'upsert') partial = { remoteId: done.outcome.remoteId };
  }
  return { outcome: accepted ?? DELIVERED, latencyMs };
}

/**
 * Whose subscriptions are read first. Before an address changes: consent lives with the address at many vendors, and an opt-out has
 * to move with the person (SPEC.md, "Invariants", 4); it may stand where they were known before, and where they are known now.
 * Before an opt-out by address: that would make a contact that is gone again.
 */
function carriedFrom({ action, remote, carryFrom, consent, address }: Claimed): readonly RemoteContact[] {
  if (action === 'unsubscribe') return remote?.id === null && remote.address !== null ? [remote] : [];
  if (action !== 'upsert' || consent === 'opted_out' || consent === 'opted_in') return [];
  const former = carryFrom === null ? [] : [{ address: carryFrom, id: null }];
  if (remote === null || remote.address === null || remote.address === address) return former;
  return remote.id === null && remote.address === carryFrom ? [remote] : [...former, remote];
}

/** The delivery as it is once it was read where the person was known before. */
export function afterCarry(delivery: Claimed, found: RemoteContact | null): Claimed {
  if (delivery.action === 'unsubscribe') return { ...delivery, remote: found };
  const known = delivery.remote ?? { address: null, id: null };
  return { ...delivery, remote: { ...known, subscription: together(known, found) } };
}

/** The contact of our id, wherever an attempt in doubt may have moved it: the request that follows brings it back. */
function whereFound(delivery: Claimed, found: RemoteContact | null): Claimed {
  const { remote } = delivery;
  if (remote === null || found?.address == null || found.address === remote.address) return delivery;
  return { ...delivery, remote: { ...remote, address: found.address, subscription: together(remote, found) } };
}

/** What two places say of one person: a no in either is one. */
function together(known: RemoteContact, found: RemoteContact | null): RemoteContact['subscription'] {
  if (known.subscription === 'unsubscribed') return 'unsubscribed';
  return found?.subscription ?? known.subscription;
}

/**
 * Whoever stands at the wanted address, where an upsert of a stranger could undo an opt-out: nothing of ours yet, so they are
 * updated as what they are, and it counts as a first delivery. What was ours under another address is left over, and an opt-out
 * read there counts here.
 */
function afterMeeting(delivery: Claimed, found: RemoteContact | null): Claimed {
  if (found === null) return delivery;
  const { remote, address } = delivery;
  const old = remote?.address != null && remote.address !== address ? [remote.address] : [];
  const leftovers = [...old, ...(remote?.leftovers ?? [])];
  const imported = old.length === 0 ? remote?.imported : undefined;
  const left = remote?.subscription === 'unsubscribed' && delivery.consent !== 'opted_in';
  const consent = left ? 'opted_out' : delivery.consent;
  return { ...delivery, consent, remote: { ...found, leftovers, imported, met: true } };
}
