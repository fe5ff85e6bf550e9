import type { JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { applyChange } from './attribute-values.ts';
import { type ContactInput, identityOf, inputOf, isReply, objectOf } from './contact-input.ts';
import { badAddress, duplicate, invalid, missing, noContent, notJson, notThere, reply, tooEarly } from './replies.ts';
import type { StoredContact } from './store.ts';
import { isAddress } from './validate-email.ts';
import { contactView } from './views.ts';

const BY = {
  email_id: 'email',
  ext_id: 'ext_id',
  phone_id: 'SMS',
  whatsapp_id: 'WHATSAPP',
  landline_number_id: 'LANDLINE_NUMBER',
} as const;

/** Whom a path names: by the type in the query, else by an id or an address as it looks. */
export function contactNamed({ store }: Account, identifier: string, request: ApiRequest): StoredContact | undefined {
  const type = request.query.get('identifierType') ?? (/^\d+$/.test(identifier) ? 'contact_id' : 'email_id');
  if (type === 'contact_id') return store.byNumber(Number(identifier));
  return Object.hasOwn(BY, type) ? store.find(BY[type as keyof typeof BY], identifier) : undefined;
}

function write(
  { store, settings }: Account,
  contact: StoredContact | undefined,
  email: string | null,
  input: ContactInput,
): StoredContact {
  const moves = contact?.email != null && email !== null && contact.email.toLowerCase() !== email.toLowerCase();
  return store.write(contact, (draft) => {
    // Note of the vendor: a new address lifts the block of a contact, and they are subscribed again.
    if (moves) draft.emailBlacklisted = false;
    if (!moves || settings.newAddressLifts === 'old_block') {
      // As asked for: false really lifts a block.
      draft.emailBlacklisted = input.emailBlacklisted ?? draft.emailBlacklisted;
    }
    draft.smsBlacklisted = input.smsBlacklisted ?? draft.smsBlacklisted;
    draft.email = email;
    draft.extId = input.extId ?? draft.extId;
    applyChange(draft.attributes, input.change);
    for (const id of input.join) draft.lists.add(id);
    for (const id of input.leave) draft.lists.delete(id);
    draft.busyUntil = store.now() + settings.processingMs;
  });
}

/** POST /contacts: 201 with an id for a new contact, 204 for one that was there and may be updated. */
export function createContact(account: Account, request: ApiRequest): ApiReply {
  const body = objectOf(request);
  if (body === null) return notJson;
  const { store } = account;
  const { email, updateEnabled } = body;
  if (email !== undefined && !isAddress(email)) return badAddress;
  const input = inputOf(body, store);
  if (isReply(input)) return input;
  const phone = input.change.set['SMS'];
  const address = email ?? null;
  if (address === null && input.extId === undefined && phone === undefined) {
    return missing('At least one of email, ext_id or SMS is required');
  }
  const current =
    (address === null ? undefined : store.find('email', address)) ??
    (address === null && input.extId !== undefined ? store.find('ext_id', input.extId) : undefined) ??
    (address === null && typeof phone === 'string' ? store.find('SMS', phone) : undefined);
  if (current !== undefined && updateEnabled !== true) return duplicate('create', ['email']);
  const taken = store.taken(identityOf(current, input, address ?? current?.email ?? null), current);
  if (taken.length > 0) return duplicate(current === undefined ? 'create' : 'update', taken);
  if (current !== undefined && current.busyUntil > store.now()) return tooEarly;
  const written = write(account, current, current === undefined ? address : (current.email ?? address), input);
  return current === undefined ? reply(201, { id: written.id }) : noContent;
}

/** PUT /contacts/{identifier}. The address changes by `EMAIL` among the attributes. */
export function updateContact(account: Account, identifier: string, request: ApiRequest): ApiReply {
  const current = contactNamed(account, identifier, request);
  if (current === undefined) return notThere('Contact');
  const body = objectOf(request);
  if (body === null) return notJson;
  return update(account, current, body) ?? noContent;
}

/** @returns why not, or null */
export function update(account: Account, current: StoredContact, body: JsonObject): ApiReply | null {
  const { store } = account;
  const input = inputOf(body, store);
  if (isReply(input)) return input;
  const { EMAIL: wanted } = (body['attributes'] ?? {}) as JsonObject;
  if (wanted !== undefined && !isAddress(wanted)) return badAddress;
  // Also of its own address (APIv3-php-library, issue 149).
  if (wanted !== undefined && store.find('email', wanted) === current) return invalid('Contact already exist');
  const email = wanted ?? current.email;
  const taken = store.taken(identityOf(current, input, email), current);
  if (taken.length > 0) return duplicate('update', taken);
  if (current.busyUntil > store.now()) return tooEarly;
  write(account, current, email, input);
  return null;
}

/** DELETE /contacts/{identifier}. The block goes with the contact. */
export function deleteContact(account: Account, identifier: string, request: ApiRequest): ApiReply {
  const current = contactNamed(account, identifier, request);
  if (current === undefined) return notThere('Contact');
  account.store.remove(current);
  return noContent;
}

/** GET /contacts/{identifier}. */
export function getContact(account: Account, identifier: string, request: ApiRequest): ApiReply {
  const current = contactNamed(account, identifier, request);
  return current === undefined ? notThere('Contact') : reply(200, { ...contactView(current), statistics: {} });
}
