import type { Json } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { objectOf } from './contact-input.ts';
import { invalid, noContent, notJson, notThere, reply } from './replies.ts';
import { ATTRIBUTE_CATEGORIES, ATTRIBUTE_TYPES, type ContactAttribute } from './store.ts';
import { attributeView } from './views.ts';

const CREATABLE: Readonly<Record<ContactAttribute['category'], readonly string[]>> = {
  normal: ['text', 'date', 'float', 'boolean', 'multiple-choice', 'user'],
  transactional: ['text', 'date', 'float', 'boolean', 'id'],
  category: ['category'],
  calculated: [],
  global: [],
};

/** GET /contacts/attributes: all of them in one answer. */
export function getAttributes({ store }: Account): ApiReply {
  return reply(200, { attributes: [...store.attributes.values()].map(attributeView) });
}

/** POST and DELETE /contacts/attributes/{category}/{NAME}. Names become upper case. */
export function oneAttribute(
  { store }: Account,
  [category = '', given = '']: readonly string[],
  request: ApiRequest,
): ApiReply | null {
  const kind = ATTRIBUTE_CATEGORIES.find((each) => each === category);
  if (kind === undefined) return invalid('Attribute category is invalid');
  const name = given.toUpperCase();
  const known = store.attributes.get(name);
  if (request.method === 'DELETE') {
    if (known === undefined) return notThere('Attribute');
    store.removeAttribute(name);
    return noContent;
  }
  if (request.method !== 'POST') return null;
  const body = objectOf(request);
  if (body === null) return notJson;
  if (!/^[A-Z0-9_]{1,50}$/.test(name) || name === 'EMAIL') return invalid('Attribute name is invalid');
  if (known !== undefined) return invalid('Attribute name must be unique');
  const type = ATTRIBUTE_TYPES.find((each) => each === body['type']) ?? null;
  if (CREATABLE[kind].length > 0 && (type === null || !CREATABLE[kind].includes(type))) {
    return invalid('Attribute type is invalid');
  }
  const options = body['multiCategoryOptions'];
  const texts = Array.isArray(options) ? (options as readonly Json[]).filter((each) => typeof each === 'string') : [];
  store.addAttribute({ name, category: kind, type, options: texts });
  return { status: 201, body: null };
}
