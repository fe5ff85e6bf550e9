import type { AttributePlan, Delivery, Operation } from '../../core/destination.ts';
import type { Json } from '../../core/json.ts';
import { isPresent, mustOptIn, mustOptOut, sameAddress } from '../../core/opt-out.ts';
import { attributeParts } from './attributes.ts';
import { audienceOf, type SendryConfig } from './config.ts';
import { contactPath, CONTACTS, FOUND_ID, membersPath } from './paths.ts';

/** Whose id is not known is looked up by address first: nothing else names a contact. */
function named(by: {
  readonly id?: string | null;
  readonly address?: string | null;
}): Pick<Operation, 'path' | 'find'> {
  if (isPresent(by.id)) return { path: contactPath(by.id) };
  return { path: `${CONTACTS}/${FOUND_ID}`, find: by.address ?? '' };
}

function remove(by: Parameters<typeof named>[0]): Operation {
  return { kind: 'delete', method: 'DELETE', ...named(by), body: null, batchKey: null };
}

function updates(config: SendryConfig): 'PATCH' | 'PUT' {
  return config.dialect === 'sdk' ? 'PUT' : 'PATCH';
}

/** Whether it has arrived at this very address by an import, which names no id. */
function wasImported({ remote }: Delivery, address: string): boolean {
  return remote?.imported === true && isPresent(remote.address) && sameAddress(remote.address, address);
}

/** Whether a request that may create the contact joins the audience: until the contact is known to have arrived. */
export function joinsByCreation(delivery: Delivery, address: string): boolean {
  return !isPresent(delivery.remote?.id) && !wasImported(delivery, address);
}

/** POST: creates, or updates whoever has the address (the vendor's recipe: "upsert-by-email"). */
function create(delivery: Delivery, address: string, plan: AttributePlan, config: SendryConfig): Operation {
  const fresh = delivery.remote === null && !delivery.takeover;
  const body: Record<string, Json> = { email: address, ...attributeParts(delivery, plan, config, fresh) };
  const audience = audienceOf(config);
  if (audience !== undefined && joinsByCreation(delivery, address)) body['audience_id'] = audience;
  if (mustOptOut(delivery, address)) body['unsubscribed'] = true;
  else if (mustOptIn(delivery)) body['unsubscribed'] = false;
  return { kind: 'upsert', method: 'POST', path: CONTACTS, body, batchKey: null };
}

function update(
  delivery: Delivery,
  { id, address }: { readonly id: string; readonly address: string },
  plan: AttributePlan,
  config: SendryConfig,
): readonly Operation[] {
  const body: Record<string, Json> = { email: address, ...attributeParts(delivery, plan, config, false) };
  const optsOut = mustOptOut(delivery, address);
  if (optsOut) body['unsubscribed'] = true;
  else if (mustOptIn(delivery)) body['unsubscribed'] = false;
  const change: Operation = { kind: 'upsert', method: updates(config), path: contactPath(id), body, batchKey: null };
  const { remote } = delivery;
  // Somebody who was there before us: an update has no place for an audience.
  const joins = remote?.met === true && remote.imported !== true;
  const audience = audienceOf(config);
  if (audience === undefined || !joins) return [change];
  const join: Operation = {
    kind: 'upsert',
    method: 'POST',
    path: membersPath(audience),
    body: { contact_ids: [id] },
    batchKey: null,
  };
  // Once the update has arrived the contact counts as known, and nothing joins it any more. An opt-out goes ahead all the same.
  return optsOut ? [change, join] : [join, change];
}

/**
 * What to send to Sendry for a delivery. Pure.
 *
 * - Upsert, id known: one update by id; an address change is the new `email` in it. Whoever was found there at their first
 *   delivery also joins the audience.
 * - Upsert, id unknown: one POST of the wanted address, and a DELETE of the address it was last sent under when that is
 *   another one.
 * - Delete: DELETE by id, else of whoever is found under the address.
 * - Unsubscribe: one update by id, else of whoever is found under the address, that says nothing else. Leftovers are deleted.
 */
export function encode(delivery: Delivery, plan: AttributePlan, config: SendryConfig): readonly Operation[] {
  const { remote, address } = delivery;
  const leftovers = (remote?.leftovers ?? []).filter(isPresent);
  const isKnown = isPresent(remote?.id) || isPresent(remote?.address);
  if (delivery.action === 'unsubscribe') {
    const kept = remote?.address ?? '';
    const body = { unsubscribed: true };
    const said: readonly Operation[] = isKnown
      ? [{ kind: 'unsubscribe', method: updates(config), ...named(remote ?? {}), body, batchKey: null }]
      : [];
    return [...said, ...orphans(leftovers, kept)];
  }
  if (delivery.action === 'delete') {
    if (!isKnown) return orphans(leftovers, '');
    const own = isPresent(remote?.id) ? '' : (remote?.address ?? '');
    return [remove(remote ?? {}), ...orphans(leftovers, own)];
  }
  if (!isPresent(address)) return [];
  if (isPresent(remote?.id)) {
    return [...update(delivery, { id: remote.id, address }, plan, config), ...orphans(leftovers, address)];
  }
  const old = isPresent(remote?.address) ? [remote.address, ...leftovers] : leftovers;
  return [create(delivery, address, plan, config), ...orphans(old, address)];
}

/** Deletes what may still stand under these addresses. @param kept the one that stays */
function orphans(addresses: readonly string[], kept: string): readonly Operation[] {
  return [...new Set(addresses)].filter((each) => !sameAddress(each, kept)).map((each) => remove({ address: each }));
}
