import type { Exchange, HttpRequest, HttpResponse, RemoteContact, RemoteList } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { MailtrapConfig } from './config.ts';
import { readJson } from './errors.ts';
import { failureOf } from './failure.ts';
import { contactPath, contactsPath } from './paths.ts';

type Read<Value> = ReturnType<Exchange<Value>['interpret']>;

/** Sent with every request; authentication is added by the transport. */
export const HEADERS: Readonly<Record<string, string>> = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'rollcall',
};

/** A GET below the base URL. */
export function get(config: MailtrapConfig, path: string): HttpRequest {
  return { method: 'GET', url: config.base_url + path, headers: HEADERS, body: null };
}

/** What stopped a read: the status, or an answer in an unexpected shape. */
export function stopped(response: HttpResponse): { readonly ok: false; readonly outcome: Outcome } {
  const outcome = failureOf(response) ?? {
    kind: 'retry',
    code: 'malformed_answer',
    message: 'Mailtrap answered with success, but in an unexpected shape.',
  };
  return { ok: false, outcome };
}

/** The objects of a list answer; the API answers with a bare array, some clients expect it under `data`. */
export function rows(response: HttpResponse): readonly JsonObject[] | undefined {
  if (failureOf(response) !== undefined) return undefined;
  const json = readJson(response.body);
  const list = json !== undefined && isJsonObject(json) ? json['data'] : json;
  return Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : undefined;
}

/** Cheap read that proves token, account and scope. */
export function probe(config: MailtrapConfig): HttpRequest {
  return get(config, `${contactsPath(config)}/lists`);
}

/** All lists (at most 50, one page). */
export function lists(config: MailtrapConfig): Exchange<readonly RemoteList[]> {
  return {
    request: probe(config),
    interpret(response): Read<readonly RemoteList[]> {
      const found = rows(response);
      if (found === undefined) return stopped(response);
      const value = found.flatMap(({ id, name }) =>
        typeof id === 'number' && typeof name === 'string' ? [{ id, name }] : [],
      );
      return { ok: true, value };
    },
  };
}

/**
 * Reads a contact just before its address changes, so that an opt-out moves with the person. Asks by id, else by the
 * last address, else by the latest leftover. The value may be passed to `encode` as it is: what is known is kept, and
 * an id that was forgotten on purpose is not brought back. It is null when the contact is gone.
 */
export function lookup(remote: RemoteContact, config: MailtrapConfig): Exchange<RemoteContact | null> {
  const leftovers = remote.leftovers ?? [];
  const target = remote.id ?? remote.address ?? leftovers.at(-1) ?? '';
  return {
    request: get(config, contactPath(config, target)),
    interpret(response): Read<RemoteContact | null> {
      if (response.status === 404) {
        return { ok: true, value: leftovers.length === 0 ? null : { id: null, address: null, leftovers } };
      }
      const json = failureOf(response) === undefined ? readJson(response.body) : undefined;
      const data = json !== undefined && isJsonObject(json) ? json['data'] : undefined;
      if (!isJsonObject(data)) return stopped(response);
      const { status } = data;
      // Anything but a clear "subscribed" counts as a no.
      return { ok: true, value: { ...remote, subscription: status === 'subscribed' ? 'subscribed' : 'unsubscribed' } };
    },
  };
}
