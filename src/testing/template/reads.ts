import type { Exchange, HttpRequest, RemoteContact } from '../../core/destination.ts';
import { getJson } from '../../core/wire.ts';
import type { Options } from './config.ts';
import { stopped } from './failure.ts';
import { contactPath } from './paths.ts';

/** Cheap read that proves the key. */
export function probe(config: Options): HttpRequest {
  return getJson(`${config.base_url}/v1/account`);
}

/**
 * Reads a contact: before its address changes, so that an opt-out moves with the person.
 *
 * To write: 404 is null; an answer of the vendor is `remote` with its `subscription`, where anything but a clear "subscribed"
 * counts as a no.
 */
export function lookup(remote: RemoteContact, config: Options): Exchange<RemoteContact | null> {
  return {
    request: getJson(config.base_url + contactPath(remote.address ?? '')),
    interpret: (response) => stopped(response),
  };
}
