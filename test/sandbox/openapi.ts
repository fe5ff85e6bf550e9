import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parsePath, type Route } from '../../src/destinations/mailtrap/sandbox/route.ts';

type Schema = Record<string, unknown>;
interface Answer {
  readonly $ref?: string;
  readonly content?: Record<string, { readonly schema: Schema }>;
}
interface Description {
  readonly paths: Record<string, Record<string, { readonly responses?: Record<string, Answer> }>>;
  readonly components: { readonly responses: Record<string, Answer>; readonly schemas: Record<string, Schema> };
}

const file = new URL('../fixtures/mailtrap.contacts.openapi.json', import.meta.url);
const description = JSON.parse(readFileSync(file, 'utf8')) as Description;

const PATHS: Readonly<Record<Route['to'], string>> = {
  contacts: '/api/contacts',
  contact: '/api/contacts/{contact_identifier}',
  events: '/api/contacts/{contact_identifier}/events',
  lists: '/api/contacts/lists',
  list: '/api/contacts/lists/{list_id}',
  fields: '/api/contacts/fields',
  field: '/api/contacts/fields/{field_id}',
  imports: '/api/contacts/imports',
  import: '/api/contacts/imports/{import_id}',
  exports: '/api/contacts/exports',
  export: '/api/contacts/exports/{export_id}',
};

/** Answers that the description does not declare. The sandbox gives them all the same; each is a choice of ours. */
const UNDECLARED = new Set([
  'PATCH contact 404',
  'POST imports 429',
  'GET import 429',
  'POST lists 422',
  'PATCH list 422',
]);

/** Bodies where the description's own examples, or recorded traffic, contradict its schema. */
const CONTRADICTED = [/^\{"errors":\{"filters":"invalid"\}\}$/];

// The schemas leave everything optional and open, which would let any object pass: closed here. The one object whose
// keys are placeholders (`field_merge_tag`, for any merge tag) stays open.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema(closed(description) as Schema, 'mailtrap');
const validators = new Map<string, ValidateFunction>();

/** What is wrong with an answer according to the vendor's description, or null. */
export function describeMismatch(method: string, path: string, status: number, body: string): string | null {
  const address = parsePath(path.split('?')[0] ?? '');
  if (address === null) return status === 404 || status === 401 ? null : `${path} is not described`;
  const name = `${method} ${address.route.to} ${status}`;
  const template = PATHS[address.route.to];
  const operation = description.paths[template]?.[method.toLowerCase()];
  if (operation === undefined) return status === 404 ? null : `${method} ${template} is not described`;
  const answer = operation.responses?.[status];
  if (answer === undefined)
    return UNDECLARED.has(name) || status === 413 || status === 400 ? null : `${name} is not declared`;
  const pointer = schemaPointer(template, method, status, answer);
  if (pointer === null) return body === '' ? null : `${name} must have no body`;
  if (CONTRADICTED.some((known) => known.test(body))) return null;
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `mailtrap#${pointer}` });
  validators.set(pointer, validate);
  return validate(JSON.parse(body)) ? null : `${name}: ${ajv.errorsText(validate.errors)} in ${body.slice(0, 500)}`;
}

function schemaPointer(template: string, method: string, status: number, answer: Answer): string | null {
  const escaped = encodeURIComponent(template.replaceAll('/', '~1'));
  const at = answer.$ref?.slice(1) ?? `/paths/${escaped}/${method.toLowerCase()}/responses/${status}`;
  const found =
    answer.$ref === undefined ? answer : description.components.responses[answer.$ref.split('/').at(-1) ?? ''];
  return found?.content === undefined ? null : `${at}/content/application~1json/schema`;
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Schema = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  const properties = copy['properties'];
  if (copy['type'] !== 'object' || typeof properties !== 'object' || properties === null) return copy;
  const names = Object.keys(properties);
  if (names.includes('field_merge_tag')) return copy;
  const optional = names.filter((name) => name.endsWith('_contacts_count') || name === 'contacts_over_limit_count');
  return {
    ...copy,
    additionalProperties: false,
    required: names.filter((name) => !optional.includes(name)),
  };
}
