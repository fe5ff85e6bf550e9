import type { Exchange, FieldPlan, HttpResponse, RemoteField } from '../../core/destination.ts';
import { type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import { JSON_HEADERS, pathSegment } from '../../core/wire.ts';
import type { BrevoConfig } from './config.ts';
import { failureOf, stopped } from './failure.ts';
import { ATTRIBUTES, get } from './paths.ts';
import { rowsIn } from './reads.ts';
import { attributeName } from './values.ts';

const TYPES: Readonly<Record<AttributeType, string>> = {
  text: 'text',
  integer: 'float',
  float: 'float',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'date',
  json: 'text',
};

/** Calculated and global attributes can't be written; a `category` has ids for values: each is a type of its own here. */
function field({ name, type, category }: JsonObject): RemoteField[] {
  if (typeof name !== 'string' || typeof category !== 'string') return [];
  const writable = category === 'normal' && typeof type === 'string';
  return [{ name: attributeName(name), type: writable ? type : category }];
}

function created(response: HttpResponse, name: string, type: string): ReturnType<Exchange<RemoteField>['interpret']> {
  const failure = failureOf(response);
  if (failure === undefined) return { ok: true, value: { name, type } };
  if (failure.kind !== 'reject') return { ok: false, outcome: failure };
  return { ok: false, outcome: { kind: 'reject', code: 'field_refused', message: failure.message, field: name } };
}

/**
 * Contact attributes: `GET /contacts/attributes`, `POST /contacts/attributes/normal/{NAME}`. One that is missing, or has another
 * type, would swallow values without a word. How many an account may have is not published.
 */
export const fields: FieldPlan<BrevoConfig> = {
  max: Number.POSITIVE_INFINITY,
  typeFor: (type) => TYPES[type],
  nameFor: attributeName,
  list: (config) => ({
    request: get(config, ATTRIBUTES),
    interpret(response): ReturnType<Exchange<readonly RemoteField[]>['interpret']> {
      const found = rowsIn(response, 'attributes');
      return found === undefined ? stopped(response) : { ok: true, value: found.flatMap(field) };
    },
  }),
  create: (name, type, config) => ({
    request: {
      method: 'POST',
      url: `${config.base_url}${ATTRIBUTES}/normal/${pathSegment(attributeName(name))}`,
      headers: JSON_HEADERS,
      body: renderJson({ type: TYPES[type] }),
    },
    interpret: (response) => created(response, attributeName(name), TYPES[type]),
  }),
};
