import { LosslessNumber } from 'lossless-json';
import { isJsonObject, type Json } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { badRequest, invalid, notFound, reply } from './replies.ts';
import { isTooLong } from './validate-value.ts';

/**
 * POST /api/contacts/{id or address}/events. There is no key against duplicates: each call is one more event. The description
 * limits names and keys to 255; values have a limit too (`value for 'bar' is too long`), but which is ours to choose: the
 * same.
 */
export function createEvent(account: Account, identifier: string, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null || !isJsonObject(json.value)) return badRequest;
  const contact = account.store.find(identifier);
  if (contact === undefined) return notFound;
  const { name, params = {} } = json.value;
  const errors: Record<string, readonly string[]> = {};
  const aboutName = nameErrors(name);
  if (aboutName.length > 0) errors['name'] = aboutName;
  const aboutParams = paramErrors(params);
  if (aboutParams.length > 0) errors['params'] = aboutParams;
  if (Object.keys(errors).length > 0) return invalid(errors, account.errorStyle);
  const event = {
    contactId: contact.id,
    email: contact.email,
    name: name as string,
    params: isJsonObject(params) ? params : {},
    at: account.now(),
  };
  account.store.addEvent(event);
  return reply(201, {
    contact_id: event.contactId,
    contact_email: event.email,
    name: event.name,
    params: event.params,
  });
}

function nameErrors(name: Json | undefined): string[] {
  // The recorded answer to a missing name.
  if (name === undefined || name === null) return ["can't be blank", 'must be a string'];
  if (typeof name !== 'string') return ['must be a string'];
  if (name.trim() === '') return ["can't be blank"];
  return isTooLong(name) ? ['is too long'] : [];
}

function paramErrors(params: Json): string[] {
  if (!isJsonObject(params)) return ['must be a hash'];
  return Object.entries(params).flatMap(([key, value]) => [
    ...(isTooLong(key) ? [`key '${key}' is too long`] : []),
    ...(isScalar(value) ? [] : [`value for '${key}' is invalid`]),
    ...(typeof value === 'string' && isTooLong(value) ? [`value for '${key}' is too long`] : []),
  ]);
}

function isScalar(value: Json): boolean {
  return value === null || typeof value !== 'object' || value instanceof LosslessNumber;
}
