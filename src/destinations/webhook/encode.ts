import type {
  AttributePlan,
  ContactEvent,
  Delivery,
  Operation,
  Origin,
  RemoteContact,
} from '../../core/destination.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isPresent } from '../../core/opt-out.ts';

/** Every planned attribute, so that a receiver never has to merge: null when there is no value. */
function attributesOf({ attributes }: Delivery, plan: AttributePlan): JsonObject {
  const names = new Set([...Object.keys(plan), ...Object.keys(attributes)]);
  return Object.fromEntries(
    [...names].map((name): [string, Json] => [
      name,
      Object.hasOwn(attributes, name) ? (attributes[name] ?? null) : null,
    ]),
  );
}

/** @throws TypeError for a delivery without an origin, which is a mistake of ours */
function originOf({ origin }: Delivery): Origin {
  if (origin === undefined) throw new TypeError('a webhook needs to know whose numbers contact and version are');
  return origin;
}

/**
 * The id that a receiver knows the contact by: the one it was first told, for ever. A later epoch makes others, as a restored
 * database may give a number to somebody else.
 */
function contactIdOf(delivery: Delivery): string {
  const { id, epoch } = originOf(delivery);
  return isPresent(delivery.remote?.id) ? delivery.remote.id : `c_${id}_${epoch.toString(36)}_${delivery.contactId}`;
}

function message(kind: Operation['kind'], key: string, body: JsonObject): Operation {
  return { kind, method: 'POST', path: '', body, batchKey: null, key };
}

/** A message about the state of a contact. It has no `timestamp`: nobody keeps when the state came to be, see README.md. */
function stateMessage(kind: Operation['kind'], type: string, delivery: Delivery, contact: JsonObject): Operation {
  const { id, epoch } = originOf(delivery);
  const { contactId, version, again } = delivery;
  // No dots: the signature is over `id.time.body`.
  const key = `m_${id}_${epoch.toString(36)}_${contactId}_${version}${again === true ? '_again' : ''}`;
  return message(kind, key, {
    type,
    data: { contact: { id: contactIdOf(delivery), ...contact }, epoch, version: Number(version) },
  });
}

/**
 * What to tell a receiver for a delivery: one message at most. Pure, and the same for each attempt at one version. A contact that
 * was never told of is not told to be gone.
 *
 * Who must not be mailed is told by `consent` in the very message that may make the receiver create a contact or change its
 * address. No word of it means *subscribed*.
 */
export function encode(delivery: Delivery, plan: AttributePlan): readonly Operation[] {
  const { action, address, remote, consent } = delivery;
  const known = isPresent(remote?.address) ? remote.address : null;
  if (action === 'upsert') {
    if (!isPresent(address)) return [];
    const contact = {
      address,
      previous_address: known === address ? null : known,
      consent,
      attributes: attributesOf(delivery, plan),
    };
    return [stateMessage('upsert', 'contact.upserted', delivery, contact)];
  }
  if (remote === null) return [];
  if (action === 'delete') return [stateMessage('delete', 'contact.deleted', delivery, { address: known })];
  return [stateMessage('unsubscribe', 'contact.unsubscribed', delivery, { address: known, consent: 'opted_out' })];
}

/** What to tell a receiver of an event of a contact. Its id is the key: an event is told once, however often it is sent. Pure. */
export function encodeEvent({ id, name, properties, at }: ContactEvent, remote: RemoteContact): Operation {
  return message('event', `e_${id}`, {
    type: `event.${name}`,
    timestamp: at,
    data: { event: { id, name, properties, occurred_at: at }, contact: { id: remote.id, address: remote.address } },
  });
}
