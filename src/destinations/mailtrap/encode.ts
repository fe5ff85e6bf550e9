import type { AttributePlan, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isPresent, mustOptIn, mustOptOut, sameAddress } from '../../core/opt-out.ts';
import { segmentChanges } from '../../core/segments.ts';
import type { MailtrapConfig } from './config.ts';
import { contactPath } from './paths.ts';
import { fieldValues } from './values.ts';

function remove(idOrAddress: string, config: MailtrapConfig): Operation {
  return { kind: 'delete', method: 'DELETE', path: contactPath(config, idOrAddress), body: null, batchKey: null };
}

export function listIds(config: MailtrapConfig): number[] {
  return config.lists.map((list) => {
    if (typeof list === 'number') return list;
    throw new RollcallError(
      'RC_LIST_UNRESOLVED',
      `The Mailtrap list "${list}" is named but its id was never looked up.`,
      {
        hint: 'This is a mistake in Rollcall: resolveLists must run before encode. Please report it; ids in `lists` avoid it.',
      },
    );
  });
}

/**
 * Joined until it is known to have arrived: on the first delivery, on its repetition after a lost answer (which changes
 * nothing), when the contact was there before us, and when it vanished at Mailtrap and is made anew. An import tells no id, but
 * that it arrived.
 */
function joinsLists({ remote }: Delivery, address: string, config: MailtrapConfig): boolean {
  if (config.list_policy === 'keep' || remote?.met === true) return true;
  const imported = remote?.imported === true && isPresent(remote.address) && sameAddress(remote.address, address);
  return !isPresent(remote?.id) && !imported;
}

/** The lists that are joined and left by a request for a contact, as members of it. */
export function listChanges(delivery: Delivery, address: string, config: MailtrapConfig): JsonObject {
  const anew = joinsLists(delivery, address, config);
  const { join, leave } = segmentChanges(delivery.lists, config.segment_lists, anew);
  const joined = [...(anew ? listIds(config) : []), ...join];
  return {
    ...(joined.length > 0 ? { list_ids_included: joined } : {}),
    ...(leave.length > 0 ? { list_ids_excluded: leave } : {}),
  };
}

function upsert(delivery: Delivery, address: string, plan: AttributePlan, config: MailtrapConfig): Operation {
  const { remote } = delivery;
  const contact: Record<string, Json> = { email: address };
  const fields: JsonObject = fieldValues(delivery.attributes, plan, delivery.takeover, config);
  if (Object.keys(fields).length > 0) contact['fields'] = fields;
  Object.assign(contact, listChanges(delivery, address, config));
  if (mustOptOut(delivery, address)) contact['unsubscribed'] = true;
  else if (mustOptIn(delivery)) contact['unsubscribed'] = false;
  return {
    kind: 'upsert',
    method: 'PATCH',
    path: contactPath(config, isPresent(remote?.id) ? remote.id : address),
    body: { contact },
    batchKey: null,
  };
}

/** Says the opt-out and nothing else: who left is not described any further. The API wants the address in each body. */
function unsubscribe(remote: RemoteContact, idOrAddress: string, config: MailtrapConfig): Operation {
  const contact: JsonObject = isPresent(remote.address)
    ? { email: remote.address, unsubscribed: true }
    : { unsubscribed: true };
  return {
    kind: 'unsubscribe',
    method: 'PATCH',
    path: contactPath(config, idOrAddress),
    body: { contact },
    batchKey: null,
  };
}

/**
 * What to send to Mailtrap for a delivery. Pure.
 *
 * - Upsert, id known: one PATCH by id; an address change is the new `email` in it.
 * - Upsert, id unknown: one PATCH by the wanted address, and a DELETE of the address it was last sent under when that
 *   is another one. A PATCH by the old address would be ambiguous: it creates a contact when the old one never arrived,
 *   and is refused when the new address is taken, each time again.
 * - Delete: DELETE by id, else by address; nothing when neither is known.
 * - Unsubscribe: one PATCH by id, else by the address it was last sent under; nothing when neither is known. Leftovers
 *   are deleted: one contact of the person is enough to hold the opt-out.
 *
 * @throws RollcallError RC_LIST_UNRESOLVED when the config still holds list names
 */
export function encode(delivery: Delivery, plan: AttributePlan, config: MailtrapConfig): readonly Operation[] {
  const { remote, address } = delivery;
  const leftovers = (remote?.leftovers ?? []).filter(isPresent);
  const known = [remote?.id, remote?.address].find(isPresent);
  if (delivery.action === 'unsubscribe') {
    const kept = remote?.address ?? '';
    const orphans = [...new Set(leftovers)].filter((each) => !sameAddress(each, kept));
    const first = remote === null || known === undefined ? [] : [unsubscribe(remote, known, config)];
    return [...first, ...orphans.map((each) => remove(each, config))];
  }
  if (delivery.action === 'delete') {
    return [...new Set(known === undefined ? leftovers : [known, ...leftovers])].map((target) =>
      remove(target, config),
    );
  }
  if (!isPresent(address)) return [];
  const old = isPresent(remote?.address) && !isPresent(remote.id) ? [remote.address, ...leftovers] : leftovers;
  const orphans = [...new Set(old)].filter((each) => !sameAddress(each, address));
  return [upsert(delivery, address, plan, config), ...orphans.map((each) => remove(each, config))];
}
