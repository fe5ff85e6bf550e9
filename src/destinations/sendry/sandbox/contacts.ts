import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { applyContact, contactProblems, replacing } from './contact-input.ts';
import { page } from './paging.ts';
import {
  type ApiError,
  audienceNotFound,
  badJson,
  contactNotFound,
  emailTaken,
  invalid,
  planLimit,
  reply,
} from './replies.ts';
import type { StoredContact } from './store.ts';
import { contactView } from './views.ts';

export type Answer = ApiReply | ApiError;

/** The body as an object; undefined when it is none. */
export function bodyOf(request: ApiRequest): JsonObject | undefined {
  const value = request.json()?.value;
  return isJsonObject(value) ? value : undefined;
}

function shown({ store, settings }: Account, contact: StoredContact): JsonObject {
  return contactView(contact, store, settings.contactStyle);
}

/**
 * Creates a contact, or updates the one that has the address (recipe: "upsert-by-email"). The body was checked.
 * `unsubscribed` is false by default (sendry-js, `CreateContactParams`); whether that also counts for a contact that is there is a
 * setting.
 */
export function upsert(account: Account, body: JsonObject & { readonly email: string }): StoredContact {
  const { store, settings } = account;
  const { email } = body;
  const known = store.byAddress(email);
  const resets = known !== undefined && settings.upsertResets && body['unsubscribed'] === undefined;
  return store.write(known, known?.email ?? email, (draft) => {
    applyContact(draft, resets ? { ...body, unsubscribed: false } : body, store, settings);
    const { audience_id: audience } = body;
    if (typeof audience === 'string') draft.audiences.add(audience);
  });
}

/** POST /v1/contacts. */
export function postContact(account: Account, request: ApiRequest): Answer {
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const problems = contactProblems(body, true);
  if (Object.keys(problems).length > 0) return invalid(problems);
  const { store, settings } = account;
  const { email, audience_id: audience } = body;
  if (typeof email !== 'string') return invalid({ email: 'is required' });
  if (audience !== undefined && (typeof audience !== 'string' || !store.audiences.has(audience))) {
    return audienceNotFound;
  }
  const known = store.byAddress(email);
  if (known === undefined && store.size >= settings.maxContacts) return planLimit;
  return reply(known === undefined ? 201 : 200, shown(account, upsert(account, { ...body, email })));
}

/** GET /v1/contacts, `email` being a part of the address. */
export function listContacts(account: Account, request: ApiRequest): Answer {
  const { query } = request;
  const part = query.get('email')?.toLowerCase();
  const audience = query.get('audience_id');
  return page(query, {
    rows: account.store.contacts(),
    where: ({ email, audiences }) =>
      (part === undefined || email.toLowerCase().includes(part)) && (audience === null || audiences.has(audience)),
    key: ({ id }) => id,
    view: (contact) => shown(account, contact),
  });
}

/** GET, PATCH, PUT and DELETE of one contact. PUT is how the SDKs update, PATCH how the documentation does. */
export function oneContact(account: Account, contact: StoredContact | undefined, request: ApiRequest): Answer | null {
  const { store, settings } = account;
  const { method } = request;
  if (!['GET', 'PATCH', 'PUT', 'DELETE'].includes(method)) return null;
  if (contact === undefined) return contactNotFound;
  if (method === 'GET') return reply(200, shown(account, contact));
  if (method === 'DELETE') {
    store.remove(contact);
    return reply(200, { deleted: true });
  }
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const problems = contactProblems(body, false);
  if (Object.keys(problems).length > 0) return invalid(problems);
  const email = typeof body['email'] === 'string' ? body['email'] : contact.email;
  const owner = store.byAddress(email);
  if (owner !== undefined && owner !== contact) return emailTaken;
  const whole = method === 'PUT' && settings.putReplaces ? replacing(body) : body;
  store.write(contact, email, (draft) => applyContact(draft, whole, store, settings));
  return reply(200, shown(account, contact));
}

/** GET and PATCH /v1/contacts/by-email (sendry-js): the address ignores case. */
export function byEmail(account: Account, request: ApiRequest): Answer | null {
  if (request.method !== 'GET' && request.method !== 'PATCH') return null;
  const { query } = request;
  const email = query.get('email');
  if (email === null || email === '') return invalid({ email: 'is required' });
  const contact = account.store.byAddress(email);
  const audience = query.get('audience_id');
  const isElsewhere = audience !== null && contact?.audiences.has(audience) !== true;
  return oneContact(account, isElsewhere ? undefined : contact, request);
}
