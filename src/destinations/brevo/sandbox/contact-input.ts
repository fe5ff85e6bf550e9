import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import { type AttributeChange, changeOf } from './attribute-values.ts';
import { invalid } from './replies.ts';
import type { Store, StoredContact } from './store.ts';

/** What a request wants of a contact, checked. */
export interface ContactInput {
  readonly change: AttributeChange;
  /** Undefined stays as it is. */
  readonly emailBlacklisted: boolean | undefined;
  readonly smsBlacklisted: boolean | undefined;
  readonly extId: string | undefined;
  readonly join: readonly number[];
  readonly leave: readonly number[];
}

export function isReply(value: object): value is ApiReply {
  return 'status' in value && 'body' in value;
}

/** A text or a number as text; empty for anything else. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The JSON object of a body, or null. */
export function objectOf(request: ApiRequest): JsonObject | null {
  const json = request.json();
  return json !== null && isJsonObject(json.value) ? json.value : null;
}

function flag(value: Json | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** List ids that are all there, or the refusal. */
export function listIdsOf(value: Json | undefined, store: Store): readonly number[] | ApiReply {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return invalid('List ids must be an array');
  const unknown = (value as readonly Json[]).find((id) => typeof id !== 'number' || !store.lists.has(id));
  return unknown === undefined ? (value as readonly number[]) : invalid('List ids are invalid or do not exist');
}

/** What POST and PUT have in common. */
export function inputOf(body: JsonObject, store: Store): ContactInput | ApiReply {
  const join = listIdsOf(body['listIds'], store);
  const leave = listIdsOf(body['unlinkListIds'], store);
  if (isReply(join)) return join;
  if (isReply(leave)) return leave;
  const { attributes, ext_id: extId } = body;
  if (attributes !== undefined && !isJsonObject(attributes)) return invalid('attributes must be an object');
  const change = changeOf(attributes, store);
  if (change.badPhone) return invalid('Invalid phone number');
  return {
    change,
    emailBlacklisted: flag(body['emailBlacklisted']),
    smsBlacklisted: flag(body['smsBlacklisted']),
    extId: typeof extId === 'string' && extId !== '' ? extId : undefined,
    join,
    leave,
  };
}

/** The parts of a contact that identify it, as they would be. */
export function identityOf(
  contact: StoredContact | undefined,
  { change, extId }: ContactInput,
  email: string | null,
): Pick<StoredContact, 'email' | 'extId' | 'attributes'> {
  return { email, extId: extId ?? contact?.extId ?? null, attributes: { ...contact?.attributes, ...change.set } };
}
