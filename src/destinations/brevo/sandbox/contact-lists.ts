import { isJsonObject, type Json } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { isReply, objectOf, textOf } from './contact-input.ts';
import { update } from './contacts.ts';
import { pageOf, slice } from './pages.ts';
import { invalid, missing, noContent, notJson, notThere, reply } from './replies.ts';
import type { StoredContact } from './store.ts';
import { contactView } from './views.ts';

/** Most contacts that join or leave a list in one request (older documents of the vendor). */
const MOST_MEMBERS = 150;

/** GET /contacts: by pages of at most 1,000. */
export function getContacts({ store }: Account, request: ApiRequest): ApiReply {
  const page = pageOf(request, { usual: 50, most: 1_000 });
  if (isReply(page)) return page;
  const since = Date.parse(request.query.get('modifiedSince') ?? '') || 0;
  const lists = request.query.getAll('listIds').flatMap((ids) => ids.split(',').map(Number));
  const all = [...store.contacts()].filter(
    ({ updatedAt, lists: own }) => updatedAt >= since && (lists.length === 0 || lists.some((id) => own.has(id))),
  );
  return reply(200, { contacts: slice(all, page).map(contactView), count: all.length });
}

/** GET /contacts/lists/{id}/contacts: by pages of at most 500. */
export function getMembers({ store }: Account, id: number, request: ApiRequest): ApiReply {
  const page = pageOf(request, { usual: 50, most: 500 });
  if (isReply(page)) return page;
  if (!store.lists.has(id)) return notThere('List');
  const members = [...store.contacts()].filter(({ lists }) => lists.has(id));
  return reply(200, { contacts: slice(members, page).map(contactView), count: members.length });
}

function named({ store }: Account, value: Json, by: 'emails' | 'ids' | 'extIds'): StoredContact | undefined {
  if (by === 'ids') return store.byNumber(Number(value));
  return store.find(by === 'emails' ? 'email' : 'ext_id', textOf(value));
}

/** POST /contacts/lists/{id}/contacts/add and /remove: 400 when it would change nobody, else 201 with who failed. */
export function changeMembers(account: Account, id: number, change: 'add' | 'remove', request: ApiRequest): ApiReply {
  const { store } = account;
  if (!store.lists.has(id)) return notThere('List');
  const body = objectOf(request);
  if (body === null) return notJson;
  const by = (['emails', 'ids', 'extIds'] as const).find((each) => Array.isArray(body[each]));
  if (by === undefined) return missing('emails, ids or extIds is missing');
  const values = body[by] as readonly Json[];
  if (values.length > MOST_MEMBERS) return invalid(`Only ${MOST_MEMBERS} contacts are allowed at a time`);
  const success: Json[] = [];
  const failure: Json[] = [];
  for (const value of values) {
    const contact = named(account, value, by);
    const changes = contact !== undefined && contact.lists.has(id) === (change === 'remove');
    (changes ? success : failure).push(value);
    if (changes) store.write(contact, ({ lists }) => void (change === 'add' ? lists.add(id) : lists.delete(id)));
  }
  if (success.length > 0) return reply(201, { contacts: { success, failure } });
  const state = change === 'add' ? 'already in list' : 'already removed from list';
  return invalid(`Contact ${state} and/or does not exist`);
}

/** POST /contacts/batch: updates only, and tells nothing of one that is not there. */
export function updateMany(account: Account, request: ApiRequest): ApiReply {
  const contacts = objectOf(request)?.['contacts'];
  if (!Array.isArray(contacts)) return missing('contacts is missing');
  for (const each of contacts as readonly Json[]) {
    if (!isJsonObject(each)) return invalid('contacts must be objects');
    const { email, id, sms } = each;
    const contact =
      typeof email === 'string'
        ? account.store.find('email', email)
        : (account.store.byNumber(Number(id)) ?? account.store.find('SMS', textOf(sms)));
    if (contact !== undefined) update(account, contact, each);
  }
  return noContent;
}
