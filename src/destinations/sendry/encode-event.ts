import type { ContactEvent, Operation, RemoteContact } from '../../core/destination.ts';
import { isPresent } from '../../core/opt-out.ts';
import { EVENTS } from './paths.ts';

/**
 * What to send to Sendry for an event: by the contact's id, else by its address. `event_id` makes a repetition void. There is no
 * place for when it happened. Pure.
 */
export function encodeEvent(event: ContactEvent, remote: RemoteContact): Operation {
  const contact = isPresent(remote.id) ? { contact_id: remote.id } : { contact_email: remote.address ?? '' };
  const body = { name: event.name, event_id: event.id, ...contact, payload: event.properties };
  return { kind: 'event', method: 'POST', path: EVENTS, body, batchKey: null };
}
