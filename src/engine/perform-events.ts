import type { ContactEvent, Operation, RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { EventSettlement } from './ports.ts';
import type { Requests, Sender } from './requests.ts';

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
  events: readonly ContactEvent[],
  remote: RemoteContact | null,
  requests: Requests,
  sender: Sender,
  lastChance: boolean,
): Promise<EventsDone> {
  const settled: EventSettlement[] = [];
  for (const event of events) {
    const operation = encoded(event, remote, sender);
    // Of our own making: says nothing about the destination.
    if (!('path' in operation)) {
      settled.push({ id: event.id, outcome: operation, latencyMs: 0 });
      if (stops(operation, lastChance)) return { events: settled, stoppedBy: operation };
      continue;
    }
    const done = await requests.operate(operation);
    if (done === undefined) break;
    const { outcome, latencyMs } = done;
    settled.push({ id: event.id, outcome: recorded(outcome, sender), latencyMs });
    if (stops(outcome, lastChance)) return { events: settled, stoppedBy: outcome };
  }
  return { events: settled, stoppedBy: undefined };
}

function encoded(event: ContactEvent, remote: RemoteContact | null, sender: Sender): Operation | Outcome {
  const { destination, config } = sender;
  if (destination.encodeEvent === undefined) {
    return { kind: 'reject', code: 'events_not_taken', message: `${destination.id} takes no events.` };
  }
  if (remote === null || (remote.address === null && remote.id === null)) return NO_CONTACT;
  try {
    return destination.encodeEvent(event, remote, config);
  } catch (error) {
    sender.onMistake(error);
    const message = 'A mistake in Rollcall kept this event from being sent; please report it.';
    return { kind: 'reject', code: 'internal', message };
  }
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
