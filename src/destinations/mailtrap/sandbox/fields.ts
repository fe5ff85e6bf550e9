import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import type { ContactField } from './store.ts';
import { badRequest, invalid, noContent, notFound, reply } from './replies.ts';
import { DATA_TYPES, type DataType } from './validate-value.ts';
import { asJson, fieldView } from './views.ts';

/** [MT-docs: custom fields] */
const MAX_FIELDS = 40;
const MAX_NAME = 80;

/** GET /api/contacts/fields: a bare array. */
export function getFields(account: Account): ApiReply {
  return reply(
    200,
    [...account.store.fields.values()].map((field) => asJson(fieldView(field))),
  );
}

export function createField(account: Account, request: ApiRequest): ApiReply {
  const body = bodyOf(request);
  if (body === null) return badRequest;
  const errors = { ...complaints(account, body, null, ['name', 'merge_tag']) };
  const type = body['data_type'];
  if (!isDataType(type)) errors['data_type'] = ['is not included in the list'];
  if (account.store.fields.size >= MAX_FIELDS) errors['base'] = ['fields limit reached'];
  if (Object.keys(errors).length > 0) return invalid(errors, account.errorStyle);
  const field = account.store.addField(body['name'] as string, type as DataType, body['merge_tag'] as string);
  return reply(201, asJson(fieldView(field)));
}

export function oneField(account: Account, id: number, request: ApiRequest): ApiReply | null {
  const field = account.store.fieldById(id);
  if (field === undefined) return notFound;
  switch (request.method) {
    case 'GET':
      return reply(200, asJson(fieldView(field)));
    case 'PATCH':
      return patchField(account, field, request);
    case 'DELETE':
      if (field.usage.length > 0) return invalid({ usage: field.usage });
      account.store.removeField(field);
      return noContent;
    default:
      return null;
  }
}

/** The type of a field never changes: `data_type` in the body is ignored, as every key the spec does not name. */
function patchField(account: Account, field: ContactField, request: ApiRequest): ApiReply {
  const body = bodyOf(request);
  if (body === null) return badRequest;
  const sent = (['name', 'merge_tag'] as const).filter((key) => body[key] !== undefined);
  const errors = complaints(account, body, field, sent);
  if (Object.keys(errors).length > 0) return invalid(errors, account.errorStyle);
  if (sent.includes('name')) field.name = body['name'] as string;
  if (sent.includes('merge_tag')) account.store.renameField(field, body['merge_tag'] as string);
  return reply(200, asJson(fieldView(field)));
}

function complaints(
  account: Account,
  body: JsonObject,
  self: ContactField | null,
  keys: readonly ('name' | 'merge_tag')[],
): Record<string, string[]> {
  const errors: Record<string, string[]> = {};
  for (const key of keys) {
    const value = body[key];
    if (typeof value !== 'string' || value.trim() === '') {
      errors[key] = ["can't be blank"];
      continue;
    }
    const words: string[] = [];
    if (value.length > MAX_NAME) words.push(`is too long (maximum is ${MAX_NAME} characters)`);
    if (key === 'merge_tag' && !/^[\w-]+$/.test(value)) words.push('is invalid');
    const others = [...account.store.fields.values()].filter((other) => other !== self);
    if (others.some((other) => (key === 'name' ? other.name : other.mergeTag) === value)) {
      words.push('has already been taken');
    }
    if (words.length > 0) errors[key] = words;
  }
  return errors;
}

function bodyOf(request: ApiRequest): JsonObject | null {
  const json = request.json();
  return json !== null && isJsonObject(json.value) ? json.value : null;
}

function isDataType(value: unknown): value is DataType {
  return DATA_TYPES.some((type) => type === value);
}
