import type { Json } from '../../../core/json.ts';
import type { ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { addressProblem } from './contact-input.ts';
import { type Answer, bodyOf } from './contacts.ts';
import { page } from './paging.ts';
import { badJson, invalid, recordNotFound, reply } from './replies.ts';
import { newId, SUPPRESSION_REASONS, type Unsubscribe } from './store.ts';
import { suppressionView, unsubscribeView } from './views.ts';

/** Addresses in one request (sendry-js, `Unsubscribes.createBatch`). */
const MOST_BATCH = 1_000;

/** GET and POST /v1/suppression. */
export function allSuppressions({ store }: Account, request: ApiRequest): Answer | null {
  if (request.method === 'GET') {
    return page(request.query, {
      rows: store.suppressions.values(),
      key: ({ email }) => email,
      view: suppressionView,
    });
  }
  if (request.method !== 'POST') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { email, reason } = body;
  const wrong = addressProblem(email);
  if (wrong !== undefined || typeof email !== 'string') return invalid({ email: wrong ?? 'is required' });
  const known = SUPPRESSION_REASONS.find((each) => each === (reason ?? 'manual'));
  if (known === undefined) return invalid({ reason: `must be one of ${SUPPRESSION_REASONS.join(', ')}` });
  store.suppress(email, known);
  const made = store.suppressions.get(email.toLowerCase());
  return made === undefined ? recordNotFound : reply(201, suppressionView(made));
}

/** DELETE /v1/suppression/{email}. */
export function oneSuppression({ store }: Account, email: string, request: ApiRequest): Answer | null {
  if (request.method !== 'DELETE') return null;
  if (!store.suppressions.has(email.toLowerCase())) return recordNotFound;
  store.resubscribe(email);
  return reply(200, { deleted: true });
}

function add({ store, now }: Account, email: string, listId: string | null, reason: string | null): Unsubscribe {
  const made = { id: newId('unsub'), email: email.toLowerCase(), listId, reason, at: now() };
  store.unsubscribes.set(made.id, made);
  // Of one list alone: the contact goes on to be mailed from others.
  if (listId === null) store.suppress(email, 'unsubscribe');
  return made;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** GET and POST /v1/unsubscribes. */
export function allUnsubscribes(account: Account, request: ApiRequest): Answer | null {
  const { store } = account;
  const { query } = request;
  if (request.method === 'GET') {
    const [email, list] = [query.get('email'), query.get('list_id')];
    return page(query, {
      rows: store.unsubscribes.values(),
      where: (each) =>
        (email === null || each.email === email.toLowerCase()) && (list === null || each.listId === list),
      key: ({ id }) => id,
      view: unsubscribeView,
    });
  }
  if (request.method !== 'POST') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { email, list_id: list, reason } = body;
  const wrong = addressProblem(email);
  if (wrong !== undefined || typeof email !== 'string') return invalid({ email: wrong ?? 'is required' });
  return reply(201, unsubscribeView(add(account, email, textOf(list), textOf(reason))));
}

/** POST /v1/unsubscribes/batch. */
export function unsubscribeBatch(account: Account, request: ApiRequest): Answer | null {
  if (request.method !== 'POST') return null;
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { emails, list_id: list, reason } = body;
  if (!Array.isArray(emails)) return invalid({ emails: 'must be an array' });
  if (emails.length > MOST_BATCH) return invalid({ emails: `must have at most ${MOST_BATCH} items` });
  const good = (emails as readonly Json[]).flatMap((email) =>
    typeof email === 'string' && addressProblem(email) === undefined ? [email] : [],
  );
  for (const email of good) add(account, email, textOf(list), textOf(reason));
  return reply(200, { inserted: good.length });
}

/** GET and DELETE /v1/unsubscribes/{id}. */
export function oneUnsubscribe({ store }: Account, id: string, request: ApiRequest): Answer | null {
  const found = store.unsubscribes.get(id);
  if (request.method !== 'GET' && request.method !== 'DELETE') return null;
  if (found === undefined) return recordNotFound;
  if (request.method === 'GET') return reply(200, unsubscribeView(found));
  store.unsubscribes.delete(id);
  if (found.listId === null) store.resubscribe(found.email);
  return reply(200, { deleted: true });
}
