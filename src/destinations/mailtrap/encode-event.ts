import type { ContactEvent, Operation, RemoteContact } from '../../core/destination.ts';
import { isJsonObject, type Json, renderJson } from '../../core/json.ts';
import type { MailtrapConfig } from './config.ts';
import { contactPath } from './paths.ts';

/** Both of the OpenAPI description ("ContactEventCreateRequest", `maxLength`). It gives none for values, but has them refused. */
export const EVENT_LIMITS = { name: 255, property: 255 } as const;

/** Parameters are scalars only (the same schema). Numbers keep all their digits. */
function parameter(value: Json): Json {
  return Array.isArray(value) || isJsonObject(value) ? renderJson(value) : value;
}

/**
 * What to send to Mailtrap for an event: by the contact's id, else by its address. The API has no place for when it happened,
 * nor for the event's id. Pure.
 */
export function encodeEvent(event: ContactEvent, remote: RemoteContact, config: MailtrapConfig): Operation {
  const known = remote.id === null || remote.id === '' ? remote.address : remote.id;
  const params = Object.fromEntries(
    Object.entries(event.properties).map(([name, value]): [string, Json] => [name, parameter(value)]),
  );
  return {
    kind: 'event',
    method: 'POST',
    path: `${contactPath(config, known ?? '')}/events`,
    body: { name: event.name, params },
    batchKey: null,
  };
}
