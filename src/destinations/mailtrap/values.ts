import type { AttributePlan } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import type { MailtrapConfig } from './config.ts';

const ISO_DATE = /^\d{4}-\d{2}-\d{2}/;

/** Mailtrap stores flat values only: text, integer, float, boolean and `yyyy-mm-dd` dates. */
function fieldValue(value: Json, type: AttributeType | undefined): Json {
  if (Array.isArray(value) || isJsonObject(value)) return renderJson(value);
  switch (type) {
    case 'date':
    case 'timestamp':
      // Timestamps come in UTC. What is no ISO date (`infinity`) goes as it is: the vendor's refusal is the reason kept.
      return typeof value === 'string' && ISO_DATE.test(value) ? value.slice(0, 10) : value;
    case 'text':
      return typeof value === 'string' ? value : renderJson(value);
    case 'integer':
    case 'float':
    case 'boolean':
    case 'json':
    case undefined:
      return value;
    default:
      return type satisfies never;
  }
}

/**
 * The `fields` of a contact.
 * @param takeover clears every planned attribute that is absent
 */
export function fieldValues(
  attributes: JsonObject,
  plan: AttributePlan,
  takeover: boolean,
  config: MailtrapConfig,
): JsonObject {
  const cleared: Json = config.clear_as === null ? null : '';
  const names = new Set(Object.keys(attributes));
  if (takeover) for (const name of Object.keys(plan)) names.add(name);
  return Object.fromEntries(
    [...names].map((name): [string, Json] => {
      const value = Object.hasOwn(attributes, name) ? (attributes[name] ?? null) : null;
      return [name, value === null ? cleared : fieldValue(value, Object.hasOwn(plan, name) ? plan[name] : undefined)];
    }),
  );
}
