import { isJsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { badRequest, invalid, noContent, notFound, reply, type Invalid } from './replies.ts';
import { asJson, listView } from './views.ts';

/** [MT-docs: contacts guide] */
const MAX_LISTS = 50;
const MAX_NAME = 255;

/** GET /api/contacts/lists: a bare array, no pages. */
export function getLists(account: Account): ApiReply {
  return reply(
    200,
    [...account.store.lists.values()].map((list) => asJson(listView(list))),
  );
}

/** POST /api/contacts/lists answers 200, not 201. */
export function createList(account: Account, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null) return badRequest;
  const name = isJsonObject(json.value) ? json.value['name'] : undefined;
  const errors = nameErrors(name);
  if (errors !== null) return invalid(errors, account.errorStyle);
  if (account.store.lists.size >= MAX_LISTS) return invalid({ base: ['lists limit reached'] }, account.errorStyle);
  return reply(200, asJson(listView(account.store.addList(name as string))));
}

export function oneList(account: Account, id: number, request: ApiRequest): ApiReply | null {
  const list = account.store.lists.get(id);
  if (list === undefined) return notFound;
  if (request.method === 'GET') return reply(200, asJson(listView(list)));
  if (request.method === 'DELETE') {
    account.store.removeList(id);
    return noContent;
  }
  if (request.method !== 'PATCH') return null;
  const json = request.json();
  if (json === null) return badRequest;
  const name = isJsonObject(json.value) ? json.value['name'] : undefined;
  const errors = nameErrors(name);
  if (errors !== null) return invalid(errors, account.errorStyle);
  list.name = name as string;
  return reply(200, asJson(listView(list)));
}

function nameErrors(name: unknown): Invalid | null {
  if (typeof name !== 'string' || name.trim() === '') return { name: ["can't be blank"] };
  return name.length > MAX_NAME ? { name: [`is too long (maximum is ${MAX_NAME} characters)`] } : null;
}
