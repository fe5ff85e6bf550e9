import { addressRead } from '../../core/address.ts';
import type { Exchange, HttpRequest, HttpResponse, RemoteContact } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { isPresent } from '../../core/opt-out.ts';
import type { RemoteSuppression, SuppressionPlan } from '../../core/suppressions.ts';
import { readJson } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';
import { failureOf, stopped } from './failure.ts';
import { ATTRIBUTES, CONTACTS, contactPath, get } from './paths.ts';

type Read<Value> = ReturnType<Exchange<Value>['interpret']>;

/** Contacts of one page: an answer is cut at 1 MiB, and each contact may be of some kilobytes. */
const PAGE = 250;

/** The object in a successful answer; undefined where there is none. */
export function objectIn(response: HttpResponse): JsonObject | undefined {
  if (failureOf(response) !== undefined) return undefined;
  const json = readJson(response.body);
  return isJsonObject(json) ? json : undefined;
}

/** The objects under a name of a successful answer; none where the name is missing, as in an empty account. */
export function rowsIn(response: HttpResponse, name: string): readonly JsonObject[] | undefined {
  const list = objectIn(response)?.[name] ?? (objectIn(response) === undefined ? undefined : []);
  return Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : undefined;
}

/**
 * Cheap read that proves key and scope. Not `GET /account`: that tells the name and the address of the account's owner, and has
 * 100 requests an hour.
 */
export function probe(config: BrevoConfig): HttpRequest {
  return get(config, ATTRIBUTES);
}

/**
 * Reads a contact by id, else by the last address, else by the latest leftover. What is known is kept, and an id that was
 * forgotten on purpose is not brought back. The value is null when the contact is gone.
 */
export function lookup(remote: RemoteContact, config: BrevoConfig): Exchange<RemoteContact | null> {
  const leftovers = remote.leftovers ?? [];
  const byId = isPresent(remote.id);
  const value = byId ? remote.id : (remote.address ?? leftovers.at(-1) ?? '');
  return {
    request: get(config, contactPath({ by: byId ? 'contact_id' : 'email_id', value })),
    interpret(response): Read<RemoteContact | null> {
      const json = readJson(response.body);
      if (response.status === 404 && isJsonObject(json)) {
        return { ok: true, value: leftovers.length === 0 ? null : { id: null, address: null, leftovers } };
      }
      const { emailBlacklisted, email } = objectIn(response) ?? {};
      if (typeof emailBlacklisted !== 'boolean') return stopped(response);
      const address = addressRead(remote, byId, email);
      return {
        ok: true,
        value: { ...remote, address, subscription: emailBlacklisted ? 'unsubscribed' : 'subscribed' },
      };
    },
  };
}

function suppression({ email, emailBlacklisted }: JsonObject): RemoteSuppression[] {
  // Why somebody is blocked is not among the answers of a page.
  return emailBlacklisted === true && typeof email === 'string' ? [{ address: email, reason: 'unsubscribe' }] : [];
}

/** Contacts that come once more: whoever is deleted meanwhile moves others up by a place. */
const OVERLAP = 10;

/** A page of all contacts, oldest first: what is created meanwhile comes at the end. */
export function contactsAt(after: string | undefined, config: BrevoConfig): HttpRequest {
  return get(config, `${CONTACTS}?limit=${PAGE}&offset=${Number(after ?? 0)}&sort=asc`);
}

/** Where the page after one of so many contacts begins: a little before its end. */
export function nextOf(after: string | undefined, contacts: number): string | undefined {
  return contacts < PAGE ? undefined : String(Number(after ?? 0) + PAGE - OVERLAP);
}

/** Opt-outs: no path lists them alone, so all contacts are read. */
export const suppressions: SuppressionPlan<BrevoConfig> = {
  page: (after, config) => ({
    request: contactsAt(after, config),
    interpret(response): ReturnType<ReturnType<typeof suppressions.page>['interpret']> {
      const rows = rowsIn(response, 'contacts');
      if (rows === undefined) return stopped(response);
      return { ok: true, value: { rows: rows.flatMap(suppression), next: nextOf(after, rows.length) } };
    },
  }),
};
