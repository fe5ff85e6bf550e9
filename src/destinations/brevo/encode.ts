import type { AttributePlan, Delivery, Operation, RemoteContact } from '../../core/destination.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isPresent, mustOptIn, mustOptOut, sameAddress } from '../../core/opt-out.ts';
import { segmentChanges } from '../../core/segments.ts';
import type { BrevoConfig } from './config.ts';
import { CONTACTS, contactPath, LISTS, type Named } from './paths.ts';
import { attributeValues, hasPhone } from './values.ts';

/**
 * List ids to join.
 * @throws RollcallError RC_LIST_UNRESOLVED when a name is left among them
 */
export function listIds(lists: readonly (number | string)[]): number[] {
  return lists.map((list) => {
    if (typeof list === 'number') return list;
    throw new RollcallError('RC_LIST_UNRESOLVED', `The Brevo list "${list}" is named but its id was never looked up.`, {
      hint: 'This is a mistake in Rollcall: lists must be resolved before encode. Please report it; ids in `lists` avoid it.',
    });
  });
}

/** Whether it is known to have arrived under this address. An import and an update (204) tell no id, but that. */
export function hasArrived({ remote }: Delivery, address: string): boolean {
  if (remote === null || remote.met === true) return false;
  const accepted = remote.imported === true && isPresent(remote.address) && sameAddress(remote.address, address);
  return isPresent(remote.id) || accepted;
}

/** What says that a person must not be mailed, nor written to by SMS where we know of a number. */
function optOut(phones: boolean, config: BrevoConfig): JsonObject {
  return phones && config.sms === 'on' ? { emailBlacklisted: true, smsBlacklisted: true } : { emailBlacklisted: true };
}

function remove(named: Named): Operation {
  return { kind: 'delete', method: 'DELETE', path: contactPath(named), body: null, batchKey: null };
}

function put(kind: Operation['kind'], named: Named, body: JsonObject): Operation {
  return { kind, method: 'PUT', path: contactPath(named), body, batchKey: null };
}

/** Takes a contact out of a list, by its address. */
function leave(list: number, address: string): Operation {
  const path = `${LISTS}/${list}/contacts/remove`;
  return { kind: 'unsubscribe', method: 'POST', path, body: { emails: [address] }, batchKey: null };
}

/** How a contact that is known there is named; undefined when only a new one can be made. */
function knownAs(remote: RemoteContact | null): Named | undefined {
  if (isPresent(remote?.id)) return { by: 'contact_id', value: remote.id };
  // Accepted under this address for certain. Otherwise it may never have arrived, and each try would end the same way.
  return remote?.imported === true && isPresent(remote.address) ? { by: 'email_id', value: remote.address } : undefined;
}

function upsert(delivery: Delivery, address: string, plan: AttributePlan, config: BrevoConfig): Operation[] {
  const { remote } = delivery;
  const { attributes, problem } = attributeValues(delivery, plan, config);
  const known = knownAs(remote);
  const moves = !isPresent(remote?.address) || !sameAddress(remote.address, address);
  const update = known !== undefined && (known.by === 'contact_id' || moves) ? known : undefined;
  // An address that stays must not be sent among the attributes: "Contact already exist" (APIv3-php-library, issue 149).
  const sent: JsonObject = update !== undefined && moves ? { EMAIL: address, ...attributes } : attributes;
  const body: Record<string, Json> = update === undefined ? { email: address, updateEnabled: true } : {};
  if (Object.keys(sent).length > 0) body['attributes'] = sent;
  const anew = config.list_policy === 'keep' || !hasArrived(delivery, address);
  const kept = segmentChanges(delivery.lists, config.segment_lists, anew);
  const joined = [...(anew ? listIds(config.lists) : []), ...kept.join];
  if (joined.length > 0) body['listIds'] = joined;
  // A POST has no place for it.
  if (update !== undefined && kept.leave.length > 0) body['unlinkListIds'] = kept.leave;
  const left = update === undefined ? kept.leave.map((list) => leave(list, address)) : [];
  const says = mustOptOut(delivery, address) ? optOut(hasPhone(Object.keys(sent)), config) : undefined;
  Object.assign(body, says);
  // Of SMS nothing was said.
  if (mustOptIn(delivery)) body['emailBlacklisted'] = false;
  const first: Operation =
    update === undefined
      ? { kind: 'upsert', method: 'POST', path: CONTACTS, body, batchKey: null, refused: problem }
      : { ...put('upsert', update, body), refused: problem };
  if (update === undefined || says === undefined || !moves) return [first, ...left];
  // A new address lifts the block of a contact (developers.brevo.com, "Update a contact"); which of the two Brevo does last in
  // one request is not said, so it is said once more after it.
  return [first, put('unsubscribe', update.by === 'contact_id' ? update : { by: 'email_id', value: address }, says)];
}

/**
 * What to send to Brevo for a delivery. Pure.
 *
 * - Upsert of somebody new, or known by the address alone: one POST with `updateEnabled`.
 * - Lists of segments are joined and left in the same request; a POST has no place for leaving, so that follows by itself.
 * - Upsert, id known: one PUT by id. A new address is `EMAIL` among the attributes, also where the contact is known to have
 *   arrived by its old address; an opt-out goes in that request and is said again after it.
 * - A new address of somebody who may never have arrived, or whose new address was taken: a POST of the new one and a DELETE of
 *   the old one.
 * - Delete: by id, else by address; nothing when neither is known.
 * - Unsubscribe: the opt-out and nothing else, by id, else by address. Leftovers are deleted.
 *
 * @throws RollcallError RC_LIST_UNRESOLVED when the config still holds list names
 */
export function encode(delivery: Delivery, plan: AttributePlan, config: BrevoConfig): readonly Operation[] {
  const { remote, address } = delivery;
  const leftovers = [...new Set((remote?.leftovers ?? []).filter(isPresent))];
  const byAddress = (value: string): Named => ({ by: 'email_id', value });
  const known = isPresent(remote?.id)
    ? ({ by: 'contact_id', value: remote.id } as const)
    : isPresent(remote?.address)
      ? byAddress(remote.address)
      : undefined;
  if (delivery.action === 'unsubscribe') {
    const orphans = leftovers.filter((each) => !sameAddress(each, remote?.address ?? ''));
    const first = known === undefined ? [] : [put('unsubscribe', known, optOut(hasPhone(Object.keys(plan)), config))];
    return [...first, ...orphans.map((each) => remove(byAddress(each)))];
  }
  if (delivery.action === 'delete') {
    const others = leftovers.filter((each) => known?.by !== 'email_id' || each !== known.value);
    return [...(known === undefined ? [] : [known]), ...others.map(byAddress)].map(remove);
  }
  if (!isPresent(address)) return [];
  const stays = knownAs(remote) !== undefined;
  const old = isPresent(remote?.address) && !stays ? [remote.address, ...leftovers] : leftovers;
  const orphans = [...new Set(old)].filter((each) => !sameAddress(each, address));
  return [...upsert(delivery, address, plan, config), ...orphans.map((each) => remove(byAddress(each)))];
}
