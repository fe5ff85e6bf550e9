import type { Destination, Operation, RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Claimed } from './ports.ts';
import type { Done, Requests, Sender } from './requests.ts';

/** What became of a contact's state. */
export interface StateDone extends Done {
  /** Set when the upsert was accepted and a later operation of the same delivery was not. */
  readonly partial?: { readonly remoteId: string | undefined } | undefined;
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
  const wanted = lookupOf(delivery, destination, config);
  if (wanted === undefined || destination.lookup === undefined) {
    return await sendOperations(destination.encode(delivery, plan, config), requests);
  }
  const read = await requests.read(destination.lookup(wanted, config));
  if (read === undefined || 'outcome' in read) return read;
  const remote = afterLookup(delivery, wanted, read.value);
  const done = await sendOperations(destination.encode({ ...delivery, remote }, plan, config), requests);
  return done === undefined ? undefined : { ...done, latencyMs: done.latencyMs + read.latencyMs };
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
 * Whom to look up first. Before an address changes: consent lives with the address at many vendors, and an opt-out has to move
 * with the person (SPEC.md, "Invariants", 4). Before an opt-out by address: that would make a contact that is gone again. And
 * whoever may be there already, where an upsert of a stranger could undo an opt-out.
 */
function lookupOf(delivery: Claimed, destination: Destination<unknown>, config: unknown): RemoteContact | undefined {
  const { action, remote, carryFrom, address } = delivery;
  if (action === 'unsubscribe') return remote?.id === null && remote.address !== null ? remote : undefined;
  if (action !== 'upsert' || delivery.consent === 'opted_out') return undefined;
  if (carryFrom !== null) return { address: carryFrom, id: null };
  if (remote?.id == null && address !== null && destination.looksFirst?.(config) === true) return { address, id: null };
  if (remote === null || remote.address === null || remote.address === address) return undefined;
  return remote;
}

function afterLookup(
  { action, remote, address }: Claimed,
  wanted: RemoteContact,
  found: RemoteContact | null,
): RemoteContact | null {
  if (action === 'unsubscribe') return found;
  // Nothing of ours yet: it is updated as what it is, and counts as a first delivery.
  if (wanted !== remote && wanted.address === address) {
    if (found === null) return remote;
    return { ...found, leftovers: remote?.leftovers, imported: remote?.imported, met: true };
  }
  return { ...(remote ?? { address: null, id: null }), subscription: found?.subscription };
}
