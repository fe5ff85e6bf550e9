import type { AttributePlan, Delivery } from '../../core/destination.ts';
import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import type { AttributeType } from '../../core/mapping.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { BrevoConfig } from './config.ts';
import { e164, isPhone } from './phone.ts';

/** The address itself: sent as such, and among the attributes only to change it. */
export const ADDRESS = 'EMAIL';

/** Attributes as they are sent, and the first that Brevo would drop without a word. */
export interface Values {
  readonly attributes: JsonObject;
  readonly problem: Outcome | undefined;
}

/** An attribute's name as Brevo writes it. */
export function attributeName(name: string): string {
  return name.toUpperCase();
}

// A day of the calendar: 2026-02-30 would be dropped.
function day(text: string): string | undefined {
  const [, year = '', month = '', date = ''] = /^(\d{4})-(\d{2})-(\d{2})(?!\d)/.exec(text) ?? [];
  const leap = (Number(year) % 4 === 0 && Number(year) % 100 !== 0) || Number(year) % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1];
  if (days === undefined || Number(date) < 1 || Number(date) > days) return undefined;
  return `${year}-${month}-${date}`;
}

/** A value as an attribute of this type takes it; undefined for one that it would drop. */
function valueFor(value: Json, type: AttributeType | undefined): Json | undefined {
  const nested = Array.isArray(value) || isJsonObject(value);
  switch (type) {
    case 'text':
    case 'json':
      return typeof value === 'string' ? value : renderJson(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'integer':
    case 'float':
      // `NaN` and `Infinity` come as texts.
      return nested || typeof value === 'string' || typeof value === 'boolean' ? undefined : value;
    case 'date':
    case 'timestamp':
      // Timestamps come in UTC; `infinity` is no date there.
      return typeof value === 'string' ? day(value) : undefined;
    case undefined:
      return nested ? renderJson(value) : value;
    default:
      return type satisfies never;
  }
}

function phone(value: Json): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? e164(String(value)) : undefined;
}

function refusal(field: string): Outcome {
  const what = isPhone(field)
    ? 'a phone number with its country code, as in +15551234567'
    : 'of the type that the attribute has';
  return {
    kind: 'reject',
    code: 'invalid_value',
    field,
    message: `The value for ${field} is not ${what}: Brevo would drop it without a word. Correct it at its source, or its mapping.`,
  };
}

/**
 * The `attributes` of a contact. Brevo ignores a value of another type than its attribute has (developers.brevo.com, "Create a
 * contact"), so each is converted, or named as a problem.
 */
export function attributeValues(
  { attributes, takeover }: Pick<Delivery, 'attributes' | 'takeover'>,
  plan: AttributePlan,
  config: Pick<BrevoConfig, 'clear_as'>,
): Values {
  const cleared: Json = config.clear_as === null ? null : '';
  const names = new Set(Object.keys(attributes));
  if (takeover) for (const name of Object.keys(plan)) names.add(name);
  const sent: [string, Json][] = [];
  let problem: Outcome | undefined;
  for (const own of names) {
    const name = attributeName(own);
    if (name === ADDRESS) continue;
    const value = Object.hasOwn(attributes, own) ? (attributes[own] ?? null) : null;
    if (value === null) {
      sent.push([name, cleared]);
      continue;
    }
    const taken = isPhone(name) ? phone(value) : valueFor(value, Object.hasOwn(plan, own) ? plan[own] : undefined);
    if (taken === undefined) problem ??= refusal(name);
    else sent.push([name, taken]);
  }
  return { attributes: Object.fromEntries(sent), problem };
}

/** Whether a phone number is among them, so that an opt-out may be one from SMS too. */
export function hasPhone(names: Iterable<string>): boolean {
  for (const name of names) if (isPhone(attributeName(name))) return true;
  return false;
}
