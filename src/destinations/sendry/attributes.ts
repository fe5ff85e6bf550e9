import type { AttributePlan, Delivery } from '../../core/destination.ts';
import { type Json, type JsonObject, renderJson } from '../../core/json.ts';
import type { SendryConfig } from './config.ts';

/** Attributes with a place of their own beside the address; they are texts. */
export const NAMES = ['first_name', 'last_name'] as const;

/** Whether an attribute is one of them. */
export function isName(attribute: string): boolean {
  return (NAMES as readonly string[]).includes(attribute);
}

function text(value: Json): Json {
  return value === null || typeof value === 'string' ? value : renderJson(value);
}

/** The attributes by name as Sendry keeps them: names as texts, anything else as it is, objects and exact numbers included. */
export function attributeValues(
  { attributes, takeover }: Pick<Delivery, 'attributes' | 'takeover'>,
  plan: AttributePlan,
): JsonObject {
  const names = new Set(Object.keys(attributes));
  if (takeover) for (const name of Object.keys(plan)) names.add(name);
  return Object.fromEntries(
    [...names].map((name): [string, Json] => {
      const value = Object.hasOwn(attributes, name) ? (attributes[name] ?? null) : null;
      return [name, isName(name) ? text(value) : value];
    }),
  );
}

/**
 * The parts of a contact's body that hold its attributes.
 * @param fresh whether nobody can be there yet, so that there is nothing to clear: clients declare no null for a new name
 */
export function attributeParts(
  delivery: Delivery,
  plan: AttributePlan,
  { attributes_as: as }: SendryConfig,
  fresh: boolean,
): JsonObject {
  const values = Object.entries(attributeValues(delivery, plan));
  const names = values.filter(([name, value]) => isName(name) && !(fresh && value === null));
  const others = Object.fromEntries(values.filter(([name]) => !isName(name)));
  const parts: Record<string, Json> = Object.fromEntries(names);
  if (Object.keys(others).length === 0) return parts;
  if (as !== 'properties') parts['metadata'] = others;
  if (as !== 'metadata') parts['properties'] = others;
  return parts;
}
