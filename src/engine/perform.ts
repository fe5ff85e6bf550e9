import type { RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import { type EventsDone, sendEvents } from './perform-events.ts';
import { readBeforeErasing } from './perform-erase.ts';
import { sendOperations, sendState, type StateDone } from './perform-state.ts';
import type { Claimed, EventSettlement } from './ports.ts';
import { type Answered, createRequests, type Requests, type Sender } from './requests.ts';

/** What became of one unit of work, or that it was not begun. */
export type Performed =
  | { readonly begun: false }
  | {
      readonly begun: true;
      /** Undefined when there was no state to send. */
      readonly state: StateDone | undefined;
      /** Those that were sent, in order. */
      readonly events: readonly EventSettlement[];
      /** What the destination answered, in order: it tells of the destination as a whole. */
      readonly answers: readonly Answered[];
      /** What keeps the rest of the unit from being sent, if anything does but time. */
      readonly stopped: { readonly outcome: Outcome; readonly by: 'state' | 'event' } | undefined;
    };

const NO_EVENTS: EventsDone = { events: [], stoppedBy: undefined };

/**
 * Sends one unit of work. Who shall be there: the state first, then the events, stopping at what is not accepted. Who shall be
 * deleted: each event once, then the delete whatever became of them. Never throws for what a destination answers.
 */
export async function perform(delivery: Claimed, sender: Sender): Promise<Performed> {
  const requests = createRequests(sender);
  if (!delivery.sendState) {
    const sent = await sendEvents(delivery.events, delivery.remote, requests, sender, false);
    const begun = sent.events.length > 0 || delivery.events.length === 0;
    return begun ? result(undefined, sent, requests) : { begun: false };
  }
  if (delivery.action === 'delete') return await performDelete(delivery, requests, sender);
  const state = await sendState(delivery, requests, sender);
  if (state === undefined) return { begun: false };
  if (state.outcome.kind !== 'delivered') return result(state, NO_EVENTS, requests);
  const remote = knownAs(delivery, state.outcome.remoteId);
  return result(state, await sendEvents(delivery.events, remote, requests, sender, false), requests);
}

async function performDelete(delivery: Claimed, requests: Requests, sender: Sender): Promise<Performed> {
  // First of all: a mistake in it must not have the events sent again with each attempt.
  const operations = sender.destination.encode(delivery, sender.plan, sender.config);
  const unread = await readBeforeErasing(delivery, requests, sender);
  if (unread !== undefined) return unread === 'not_begun' ? { begun: false } : result(unread, NO_EVENTS, requests);
  const sent = await sendEvents(delivery.events, delivery.remote, requests, sender, true);
  const state =
    sent.stoppedBy === undefined
      ? await sendOperations(operations, requests)
      : { outcome: sent.stoppedBy, latencyMs: 0 };
  return state === undefined ? { begun: false } : result(state, sent, requests);
}

function result(state: StateDone | undefined, { events, stoppedBy }: EventsDone, { answers }: Requests): Performed {
  const failed = state === undefined || state.outcome.kind === 'delivered' ? undefined : state.outcome;
  const stopped: Extract<Performed, { begun: true }>['stopped'] =
    failed === undefined
      ? stoppedBy === undefined
        ? undefined
        : { outcome: stoppedBy, by: 'event' }
      : { outcome: failed, by: 'state' };
  return { begun: true, state, events, answers, stopped };
}

/** The contact as the destination knows it after its state was accepted. */
function knownAs(delivery: Claimed, remoteId: string | undefined): RemoteContact | null {
  const { action, address, remote } = delivery;
  const id = remoteId ?? remote?.id ?? null;
  return { address: action === 'upsert' ? address : (remote?.address ?? null), id };
}
