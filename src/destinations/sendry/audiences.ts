import type { Exchange } from '../../core/destination.ts';
import { isJsonObject, type Json, renderJson } from '../../core/json.ts';
import { idsOfLists } from '../../core/list-names.ts';
import type { ListPlan, RemoteList } from '../../core/lists.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import type { SendryConfig } from './config.ts';
import { contactIn } from './contact.ts';
import { failureOf, stopped } from './failure.ts';
import { AUDIENCES } from './paths.ts';
import { get, paged, pageIn } from './reads.ts';

/** Every id that Sendry shows begins so; another text is a name, unless a list has it as its id. */
const ID = /^aud_\w+$/;

function audience(value: Json | undefined): RemoteList[] {
  if (!isJsonObject(value)) return [];
  const { id, name } = value;
  return typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [];
}

/**
 * Audiences (sendry-js, `resources/audiences.ts`). Members are added and removed there by the ids of contacts, up to 100 in a
 * request, and never by address: so there is no `members`, and a contact joins with the request that creates it.
 */
export const audiences: ListPlan<SendryConfig> = {
  all: (config, page) => ({
    request: get(config, paged(AUDIENCES, page)),
    interpret(response): ReturnType<ReturnType<typeof audiences.all>['interpret']> {
      const found = failureOf(response) === undefined ? pageIn(response.body) : undefined;
      if (found === undefined) return stopped(response);
      return { ok: true, value: { lists: found.rows.flatMap(audience), next: found.next } };
    },
  }),
  create: (name, config) => ({
    request: { method: 'POST', url: config.base_url + AUDIENCES, headers: JSON_HEADERS, body: renderJson({ name }) },
    interpret(response): ReturnType<Exchange<RemoteList>['interpret']> {
      const [value] = failureOf(response) === undefined ? audience(contactIn(response.body)) : [];
      return value === undefined ? stopped(response) : { ok: true, value };
    },
  }),
  names: ({ audience_id: id }) => (id === undefined || ID.test(id) ? [] : [id]),
  resolve(config, known) {
    if (config.audience_id === undefined) return config;
    const [id] = ID.test(config.audience_id) ? [config.audience_id] : idsOfLists('Sendry', [config.audience_id], known);
    return Object.freeze({ ...config, audience_id: String(id) });
  },
};
