import { LosslessNumber } from 'lossless-json';
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ContactAttribute, Store } from './store.ts';

/** Attributes that hold a phone number. */
export const PHONES: readonly string[] = ['SMS', 'WHATSAPP', 'LANDLINE_NUMBER'];

/** `91..`, `+91..` and `0091..` are one number; null for a text that is none. */
export function phoneNumber(value: Json): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const digits = /^(?:\+|00)?(\d{6,19})$/.exec(String(value).replaceAll(' ', ''))?.[1];
  return digits === undefined || digits.startsWith('0') ? null : `+${digits}`;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Whether an attribute takes a value. Stricter than the vendor may be, so that a mistake of a client shows. */
function takes({ type, category, options }: ContactAttribute, value: Json): boolean {
  if (category !== 'normal' && category !== 'transactional') return false;
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'float':
      return typeof value === 'number' || value instanceof LosslessNumber;
    case 'boolean':
      return typeof value === 'boolean';
    case 'date':
      return typeof value === 'string' && isDay(value);
    case 'multiple-choice':
      return Array.isArray(value) && value.every((each) => typeof each === 'string' && options.includes(each));
    case 'id':
    case 'user':
    case 'category':
    case null:
      return false;
    default:
      return type satisfies never;
  }
}

/** Attributes to store and to clear. */
export interface AttributeChange {
  readonly set: JsonObject;
  readonly clear: readonly string[];
  /** A phone number that is none: the one thing that is not passed over. */
  readonly badPhone: boolean;
}

/**
 * What comes of sent attributes: unknown ones and values of another type are passed over without a word, an empty text clears,
 * null is of no type.
 */
export function changeOf(sent: Json | undefined, store: Store): AttributeChange {
  const set: Record<string, Json> = {};
  const clear: string[] = [];
  let badPhone = false;
  for (const [name, value] of Object.entries(isJsonObject(sent) ? sent : {})) {
    const attribute = store.attributes.get(name);
    if (attribute === undefined) continue;
    if (value === '') clear.push(name);
    else if (value === null) continue;
    else if (PHONES.includes(name)) {
      const number = phoneNumber(value);
      if (number === null) badPhone = true;
      else set[name] = number;
    } else if (takes(attribute, value)) set[name] = value;
  }
  return { set, clear, badPhone };
}

/** Applies a change to stored attributes. */
export function applyChange(stored: Record<string, Json>, { set, clear }: AttributeChange): void {
  for (const name of clear) delete stored[name];
  Object.assign(stored, set);
}
