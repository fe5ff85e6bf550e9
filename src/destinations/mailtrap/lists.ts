import type { Exchange } from '../../core/destination.ts';
import { isJsonObject, renderJson } from '../../core/json.ts';
import { idsOfLists, idsOfSegments } from '../../core/list-names.ts';
import type { ListPlan, MembersChanged, RemoteList } from '../../core/lists.ts';
import { JSON_HEADERS, readJson } from '../../core/wire.ts';
import type { MailtrapConfig } from './config.ts';
import { failureOf, stopped } from './failure.ts';
import { contactPath, contactsPath } from './paths.ts';
import { get, rows } from './reads.ts';

function listsUrl(config: MailtrapConfig): string {
  return `${contactsPath(config)}/lists`;
}

function list(value: unknown): RemoteList[] {
  if (!isJsonObject(value)) return [];
  const { id, name } = value;
  return typeof id === 'number' && typeof name === 'string' ? [{ id, name }] : [];
}

/** Lists (OpenAPI "Contacts" 2.0.0): at most 50 of an account, in one answer. */
export const lists: ListPlan<MailtrapConfig> = {
  all: (config) => ({
    request: get(config, listsUrl(config)),
    interpret(response): ReturnType<ReturnType<typeof lists.all>['interpret']> {
      const found = rows(response);
      return found === undefined ? stopped(response) : { ok: true, value: { lists: found.flatMap(list) } };
    },
  }),
  create: (name, config) => ({
    request: {
      method: 'POST',
      url: config.base_url + listsUrl(config),
      headers: JSON_HEADERS,
      body: renderJson({ name }),
    },
    interpret(response): ReturnType<Exchange<RemoteList>['interpret']> {
      const [value] = failureOf(response) === undefined ? list(readJson(response.body)) : [];
      return value === undefined ? stopped(response) : { ok: true, value };
    },
  }),
  names: ({ lists: listed, segment_lists: kept = {} }) =>
    [...listed, ...Object.values(kept)].filter((each) => typeof each === 'string'),
  segments: true,
  resolve(config, known) {
    const ids = idsOfLists('Mailtrap', config.lists, known).filter((id) => typeof id === 'number');
    const kept = config.segment_lists && idsOfSegments('Mailtrap', config.segment_lists, known, ids);
    return Object.freeze({
      ...config,
      lists: Object.freeze(ids),
      ...(kept === undefined ? {} : { segment_lists: kept }),
    });
  },
  // PATCH of a contact, which also creates one (OpenAPI "Contacts" 2.0.0: list_ids_included, list_ids_excluded).
  members: {
    most: 1,
    makesContacts: true,
    change: (change, id, [address = ''], config) => ({
      request: {
        method: 'PATCH',
        url: config.base_url + contactPath(config, address),
        headers: JSON_HEADERS,
        body: renderJson({
          contact: { email: address, [change === 'add' ? 'list_ids_included' : 'list_ids_excluded']: [Number(id)] },
        }),
      },
      interpret(response): ReturnType<Exchange<MembersChanged>['interpret']> {
        return failureOf(response) === undefined ? { ok: true, value: { failed: [] } } : stopped(response);
      },
    }),
  },
};
