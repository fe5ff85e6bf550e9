import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import {
  complainAboutFields,
  complainAboutLists,
  complainAboutOverlap,
  contactOf,
  hasComplaints,
  mergeFields,
  numbers,
  type Complaints,
} from './contact-input.ts';
import { badRequest, contactNotFound, invalid, noContent, notFound, reply } from './replies.ts';
import { emailError } from './validate-email.ts';
import { asJson, contactView } from './views.ts';
import { isUuid } from '../../../core/uuid.ts';

const TAKEN = 'has already been taken';

/** POST /api/contacts. A second contact of one address is refused with 422: 409 is seen in examples, not in the spec. */
export function createContact(account: Account, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null) return badRequest;
  const contact = contactOf(json.value);
  if (contact === null) return invalid({ contact: ["can't be blank"] }, account.errorStyle);
  const { store } = account;
  const complaints: Complaints = {};
  const address = contact['email'];
  const wrong = emailError(address);
  if (wrong !== null) complaints['email'] = [wrong];
  else if (store.findByEmail(address as string) !== undefined) complaints['email'] = [TAKEN];
  complainAboutFields(contact['fields'], store, complaints);
  complainAboutLists(contact['list_ids'], 'list_ids', store, complaints);
  if (store.size >= account.maxContacts) complaints['base'] = ['contacts limit reached'];
  if (hasComplaints(complaints)) return invalid(complaints, account.errorStyle);
  const written = store.write(null, address as string, (draft) => {
    mergeFields(draft.fields, contact['fields']);
    for (const id of numbers(contact['list_ids'])) draft.lists.add(id);
  });
  return reply(201, { data: asJson(contactView(written, store)) });
}

/** GET /api/contacts/{id or address}. */
export function getContact(account: Account, identifier: string): ApiReply {
  const contact = account.store.find(identifier);
  return contact === undefined ? notFound : reply(200, { data: asJson(contactView(contact, account.store)) });
}

/** DELETE /api/contacts/{id or address}. The opt-out of the address stays. */
export function deleteContact(account: Account, identifier: string): ApiReply {
  const contact = account.store.find(identifier);
  if (contact === undefined) return contactNotFound;
  account.store.remove(contact);
  return noContent;
}

/**
 * PATCH /api/contacts/{id or address}: the upsert. Choices of ours where the vendor says nothing:
 * an unknown id is 404 (nothing says whom to create); an unknown address creates the contact under the address in the
 * body; an address that another contact has is 422, nothing is merged; an unknown key in the body is ignored.
 */
export function patchContact(account: Account, identifier: string, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null) return badRequest;
  const change = contactOf(json.value);
  if (change === null) return invalid({ contact: ["can't be blank"] }, account.errorStyle);
  const { store } = account;
  const current = store.find(identifier);
  if (current === undefined && isUuid(identifier)) return contactNotFound;

  const complaints: Complaints = {};
  const address = change['email'];
  const wrong = emailError(address) ?? (current === undefined ? emailError(identifier) : null);
  if (wrong !== null) complaints['email'] = [wrong];
  else {
    const owner = store.findByEmail(address as string);
    if (owner !== undefined && owner !== current) complaints['email'] = [TAKEN];
  }
  complainAboutFields(change['fields'], store, complaints);
  // The spec's example of this answer says `list_id_included`, not `list_ids_included`.
  complainAboutLists(change['list_ids_included'], 'list_id_included', store, complaints);
  complainAboutLists(change['list_ids_excluded'], 'list_id_excluded', store, complaints);
  if (change['list_ids_excluded'] !== undefined) {
    complainAboutOverlap(change['list_ids_included'], change['list_ids_excluded'], complaints);
  }
  const unsubscribed = change['unsubscribed'];
  if (unsubscribed !== undefined && typeof unsubscribed !== 'boolean') complaints['unsubscribed'] = ['is invalid'];
  if (current === undefined && store.size >= account.maxContacts) complaints['base'] = ['contacts limit reached'];
  if (hasComplaints(complaints)) return invalid(complaints, account.errorStyle);

  if (unsubscribed === true) store.suppress(address as string, 'unsubscription', true);
  if (unsubscribed === false) store.unsuppress(address as string, true);
  const written = store.write(current ?? null, address as string, (draft) => {
    mergeFields(draft.fields, change['fields']);
    for (const id of numbers(change['list_ids_included'])) draft.lists.add(id);
    for (const id of numbers(change['list_ids_excluded'])) draft.lists.delete(id);
  });
  return reply(200, {
    action: current === undefined ? 'created' : 'updated',
    data: asJson(contactView(written, store)),
  });
}
