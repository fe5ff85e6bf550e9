import type { Operation, RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import { joinList } from './perform-list.ts';
import type { ClaimedEvent, EventSettlement } from './ports.ts';
import type { Done, Requests, Sender } from './requests.ts';

/** What became of the events of one unit. */
export interface EventsDone {
  /** Those that were sent or refused, in order. */
  readonly events: readonly EventSettlement[];
  /** What keeps the rest from being sent. */
  readonly stoppedBy: Outcome | undefined;
}

const NO_CONTACT: Outcome = {
  kind: 'retry',
  code: 'contact_missing',
  message: 'The contact is not known at the destination.',
  forgetRemote: true,
};

/**
 * Sends events in order. A refused one is a dead letter of its own, and the next goes on.
 * @param remote the contact as it is known there
 * @param lastChance each event is sent, whatever becomes of the one before; only what is about the destination stops them
 */
export async function sendEvents(
  events: readonly ClaimedEvent[],
  remote: RemoteContact | null,
  requests: Requests,
  sender: Sender,
  lastChance: boolean,
): Promise<EventsDone> {
  const settled: EventSettlement[] = [];
  const left = [...events];
  while (left.length > 0) {
    const batch = takeBatch(left, remote, sender);
    const done = await sendBatch(batch, remote, requests, sender);
    if (done === undefined) break;
    let stoppedBy: Outcome | undefined;
    for (const [n, { outcome, latencyMs }] of done.entries()) {
      settled.push({ id: batch.ids[n] ?? '', outcome: recorded(outcome, sender), latencyMs });
      if (stops(outcome, lastChance)) stoppedBy ??= outcome;
    }
    if (stoppedBy !== undefined) return { events: settled, stoppedBy };
    if (done.length < batch.ids.length) break;
  }
  return { events: settled, stoppedBy: undefined };
}

interface Batch {
  readonly ids: readonly string[];
  /** What to send together. */
  readonly operations: readonly Operation[];
  /** What became of the one that can't be sent. */
  readonly refused?: Outcome | undefined;
  /** The list to join, in place of operations. */
  readonly list?: number | string | undefined;
}

async function sendBatch(
  { operations, refused, list }: Batch,
  remote: RemoteContact | null,
  requests: Requests,
  sender: Sender,
): Promise<readonly Done[] | undefined> {
  // A refusal of our own making says nothing about the destination.
  if (refused !== undefined) return [{ outcome: refused, latencyMs: 0 }];
  if (list === undefined) return await requests.operateAll(operations);
  if (!isKnown(remote)) return [{ outcome: NO_CONTACT, latencyMs: 0 }];
  const done = await joinList(list, remote, requests, sender);
  return done && [done];
}

/** Takes the next events that may go in one request, in order. */
function takeBatch(left: ClaimedEvent[], remote: RemoteContact | null, sender: Sender): Batch {
  const most = sender.destination.eventLimits?.perRequest ?? 1;
  const ids: string[] = [];
  const operations: Operation[] = [];
  for (let next = left[0]; next !== undefined && operations.length < most; next = left[0]) {
    if (next.list !== undefined) {
      if (operations.length > 0) break;
      left.shift();
      return { ids: [next.id], operations, list: next.list };
    }
    const operation = encoded(next, remote, sender);
    const fits = 'path' in operation && (operations.length === 0 || shareKey(operation, operations[0]));
    if (!fits && operations.length > 0) break;
    left.shift();
    ids.push(next.id);
    if (!('path' in operation)) return { ids, operations, refused: operation };
    operations.push(operation);
    if (operation.batchKey === null) break;
  }
  return { ids, operations };
}

function shareKey(a: Operation, b: Operation | undefined): boolean {
  return a.batchKey !== null && a.batchKey === b?.batchKey;
}

function encoded(event: ClaimedEvent, remote: RemoteContact | null, sender: Sender): Operation | Outcome {
  const { destination, config } = sender;
  if (destination.encodeEvent === undefined) {
    return { kind: 'reject', code: 'events_not_taken', message: `${destination.id} takes no events.` };
  }
  if (!isKnown(remote)) return NO_CONTACT;
  try {
    const operation = destination.encodeEvent(event, remote, config);
    return operation.refused ?? operation;
  } catch (error) {
    sender.onMistake(error);
    const message = 'A mistake in Rollcall kept this event from being sent; please report it.';
    return { kind: 'reject', code: 'internal', message };
  }
}

function isKnown(remote: RemoteContact | null): remote is RemoteContact {
  return remote !== null && (remote.address !== null || remote.id !== null);
}

function stops(outcome: Outcome, lastChance: boolean): boolean {
  if (outcome.kind === 'delivered' || outcome.kind === 'reject') return false;
  return !lastChance || outcome.kind === 'config' || outcome.kind === 'throttle';
}

/** Where a repetition may be a second event, and the config rather wants none than two. */
function recorded(outcome: Outcome, { destination, eventsAtMostOnce }: Sender): Outcome {
  if (outcome.kind !== 'unknown' || !eventsAtMostOnce || destination.capabilities.events === 'keyed') return outcome;
  return { kind: 'reject', code: 'unknown_not_repeated', message: `${outcome.message} (${outcome.code})` };
}
