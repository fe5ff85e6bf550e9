import { addressRead } from '../../core/address.ts';
import type { Exchange, HttpRequest, RemoteContact } from '../../core/destination.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { isPresent, sameAddress } from '../../core/opt-out.ts';
import { getJson, readJson } from '../../core/wire.ts';
import type { SendryConfig } from './config.ts';
import { contactIn, idOf, subscriptionOf } from './contact.ts';
import { failureOf, isForeign, stopped } from './failure.ts';
import { contactPath, CONTACTS, queryValue } from './paths.ts';

type Read<Value> = ReturnType<Exchange<Value>['interpret']>;

/** A GET below the base URL. */
export function get(config: SendryConfig, path: string): HttpRequest {
  return getJson(config.base_url + path);
}

/** Most rows of a page (documentation, "List contacts", "List suppressed addresses"). */
export const PAGE = 100;

/** One page of a listing, and where the next begins: `{data, has_more, next_cursor}`. Undefined for any other body. */
export function pageIn(
  body: string,
): { readonly rows: readonly JsonObject[]; readonly next: string | undefined } | undefined {
  const json = readJson(body);
  if (!isJsonObject(json) || !Array.isArray(json['data'])) return undefined;
  const { has_more: more, next_cursor: cursor } = json;
  const next = more !== false && typeof cursor === 'string' && cursor !== '' ? cursor : undefined;
  return { rows: (json['data'] as unknown[]).filter(isJsonObject), next };
}

/** A path with the query of one page. */
export function paged(path: string, cursor: string | undefined): string {
  return `${path}?limit=${PAGE}${cursor === undefined ? '' : `&cursor=${queryValue(cursor)}`}`;
}

/** Cheap read that proves the key. That it may also write shows with the first contact: a key of `read_only` may read this. */
export function probe(config: SendryConfig): HttpRequest {
  return get(config, `${CONTACTS}?limit=1`);
}

/**
 * Reads a contact: by id, else by its last address, else by the latest leftover. A known id is kept, else it is the one found.
 * The value is null when the contact is gone.
 */
export function lookup(remote: RemoteContact, config: SendryConfig): Exchange<RemoteContact | null> {
  const leftovers = remote.leftovers ?? [];
  const address = isPresent(remote.address) ? remote.address : (leftovers.at(-1) ?? '');
  const byId = isPresent(remote.id);
  const path = byId ? contactPath(remote.id ?? '') : `${CONTACTS}/by-email?email=${queryValue(address)}`;
  return {
    request: get(config, path),
    interpret(response): Read<RemoteContact | null> {
      if (response.status === 404 && !isForeign(response)) {
        return { ok: true, value: leftovers.length === 0 ? null : { id: null, address: null, leftovers } };
      }
      const contact = failureOf(response) === undefined ? contactIn(response.body) : undefined;
      const id = idOf(contact);
      if (contact === undefined || id === undefined) return stopped(response);
      const { email } = contact;
      // Of somebody else nothing must be read, let alone changed.
      if (!byId && typeof email === 'string' && !sameAddress(email, address)) return stopped(response);
      // Anything but a clear word counts as a no.
      const subscription = subscriptionOf(contact) ?? 'unsubscribed';
      return {
        ok: true,
        value: {
          ...remote,
          id: byId ? remote.id : id,
          address: addressRead(remote, byId, email),
          subscription,
        },
      };
    },
  };
}
