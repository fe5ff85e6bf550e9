import type { AttributePlan, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { MailtrapConfig } from './config.ts';
import { contactPath } from './paths.ts';
import { fieldValues } from './values.ts';

/** The vendor may fold the case of an address, so two that differ only in case can be one contact. */
function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function remove(idOrAddress: string, config: MailtrapConfig): Operation {
  return { kind: 'delete', method: 'DELETE', path: contactPath(config, idOrAddress), body: null, batchKey: null };
}

function present(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && text !== '';
}

/**
 * The opt-out, where it must be said; true is the only value that is ever sent. `unsubscribed: false` would subscribe
 * a person who left, so consent is otherwise shown by silence.
 */
function mustUnsubscribe(delivery: Delivery, address: string): boolean {
  const { remote } = delivery;
  if (delivery.consent === 'opted_out') return true;
  const mayCreate = !present(remote?.id);
  const movesAddress = !present(remote?.address) || !sameAddress(remote.address, address);
  if (!mayCreate && !movesAddress) return false;
  if (remote?.subscription === 'unsubscribed') return true;
  // Somebody who opted in at Mailtrap and only moves stays as they are: that says nothing.
  return delivery.consent === 'none' && (mayCreate || remote?.subscription !== 'subscribed');
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
 * nothing), and when the contact vanished at Mailtrap and is made anew. An import tells no id, but that it arrived.
 */
export function joinsLists({ remote }: Delivery, address: string, config: MailtrapConfig): boolean {
  if (config.lists.length === 0) return false;
  if (config.list_policy === 'keep') return true;
  const imported = remote?.imported === true && present(remote.address) && sameAddress(remote.address, address);
  return !present(remote?.id) && !imported;
}

function upsert(delivery: Delivery, address: string, plan: AttributePlan, config: MailtrapConfig): Operation {
  const { remote } = delivery;
  const contact: Record<string, Json> = { email: address };
  const fields: JsonObject = fieldValues(delivery.attributes, plan, delivery.takeover, config);
  if (Object.keys(fields).length > 0) contact['fields'] = fields;
  if (joinsLists(delivery, address, config)) contact['list_ids_included'] = listIds(config);
  if (mustUnsubscribe(delivery, address)) contact['unsubscribed'] = true;
  return {
    kind: 'upsert',
    method: 'PATCH',
    path: contactPath(config, present(remote?.id) ? remote.id : address),
    body: { contact },
    batchKey: null,
  };
}

/** Says the opt-out and nothing else: who left is not described any further. The API wants the address in each body. */
function unsubscribe(remote: RemoteContact, idOrAddress: string, config: MailtrapConfig): Operation {
  const contact: JsonObject = present(remote.address)
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
  const leftovers = (remote?.leftovers ?? []).filter(present);
  const known = [remote?.id, remote?.address].find(present);
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
  if (!present(address)) return [];
  const old = present(remote?.address) && !present(remote.id) ? [remote.address, ...leftovers] : leftovers;
  const orphans = [...new Set(old)].filter((each) => !sameAddress(each, address));
  return [upsert(delivery, address, plan, config), ...orphans.map((each) => remove(each, config))];
}
