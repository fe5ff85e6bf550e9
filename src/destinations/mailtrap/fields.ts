import type { Exchange, FieldPlan, HttpResponse, RemoteField } from '../../core/destination.ts';
import { isJsonObject, type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import type { MailtrapConfig } from './config.ts';
import { describe, readProblems } from './errors.ts';
import { readJson } from '../../core/wire.ts';
import { failureOf, stopped } from './failure.ts';
import { contactsPath } from './paths.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { get, rows } from './reads.ts';

/** An account has at most 40 fields (Mailtrap documentation, "Contact fields"). */
const MOST_FIELDS = 40;
const LIMIT = /\b(?:limit|maximum|too many|up to|no more than)\b/i;

// A field's data_type can't be changed later, so what has no type of its own is kept as text.
const TYPES: Readonly<Record<AttributeType, string>> = {
  text: 'text',
  integer: 'integer',
  float: 'float',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'date',
  json: 'text',
};

function field(row: JsonObject): RemoteField[] {
  const { merge_tag: name, data_type: type } = row;
  return typeof name === 'string' && typeof type === 'string' ? [{ name, type }] : [];
}

function created(response: HttpResponse, name: string): ReturnType<Exchange<RemoteField>['interpret']> {
  const failure = failureOf(response);
  if (failure === undefined) {
    const json = readJson(response.body);
    const row = json !== undefined && isJsonObject(json) ? (isJsonObject(json['data']) ? json['data'] : json) : {};
    const [value] = field(row);
    return value === undefined ? stopped(response) : { ok: true, value };
  }
  if (failure.kind !== 'reject') return { ok: false, outcome: failure };
  const problems = readProblems(response.body);
  const words = describe(problems, response.status);
  if (problems.some(({ message }) => LIMIT.test(message))) {
    const message =
      `Mailtrap keeps at most ${MOST_FIELDS} contact fields and has no room for "${name}". ` +
      `Delete a field there that nothing uses, or map fewer attributes. It said: ${words}`;
    return { ok: false, outcome: { kind: 'config', code: 'field_limit', message: message.slice(0, 500), field: name } };
  }
  return { ok: false, outcome: { kind: 'reject', code: 'field_refused', message: words, field: name } };
}

/** Contact fields. An attribute's name is both the field's name and its merge tag, which is how contacts address it. */
export const fields: FieldPlan<MailtrapConfig> = {
  max: MOST_FIELDS,
  typeFor: (type) => TYPES[type],
  list(config) {
    return {
      request: get(config, `${contactsPath(config)}/fields`),
      interpret(response): ReturnType<Exchange<readonly RemoteField[]>['interpret']> {
        const found = rows(response);
        return found === undefined ? stopped(response) : { ok: true, value: found.flatMap(field) };
      },
    };
  },
  create(name, type, config) {
    return {
      request: {
        method: 'POST',
        url: `${config.base_url}${contactsPath(config)}/fields`,
        headers: JSON_HEADERS,
        body: renderJson({ name, data_type: TYPES[type], merge_tag: name }),
      },
      interpret: (response) => created(response, name),
    };
  },
};
