import { addressRead } from '../../core/address.ts';
import type { Exchange, HttpRequest, HttpResponse, RemoteContact } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { isPresent } from '../../core/opt-out.ts';
import { getJson, readJson } from '../../core/wire.ts';
import type { MailtrapConfig } from './config.ts';
import { failureOf, stopped } from './failure.ts';
import { contactPath, contactsPath } from './paths.ts';

type Read<Value> = ReturnType<Exchange<Value>['interpret']>;

/** A GET below the base URL. */
export function get(config: MailtrapConfig, path: string): HttpRequest {
  return getJson(config.base_url + path);
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
      const { status, email } = data;
      const address = addressRead(remote, isPresent(remote.id), email);
      // Anything but a clear "subscribed" counts as a no.
      return {
        ok: true,
        value: { ...remote, address, subscription: status === 'subscribed' ? 'subscribed' : 'unsubscribed' },
      };
    },
  };
}
