import { isJsonObject, type Json, renderJson } from './json.ts';
import type { AttributeType } from './mapping.ts';
import { readJson } from './wire.ts';

const WORDS: Readonly<Record<string, string>> = {
  t: 'true',
  yes: 'true',
  '1': 'true',
  f: 'false',
  no: 'false',
  '0': 'false',
};
const INTEGER = /^[+-]?\d+$/;
const DAY = /^\d{4}-\d{2}-\d{2}/;

/** A number's text without what says nothing: `5.0`, `5` and `+5` are one. Integers keep every digit. */
function number(text: string): string {
  if (INTEGER.test(text)) return BigInt(text).toString();
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return text;
  return Number.isSafeInteger(value) ? BigInt(value).toString() : String(value);
}

/** A text as the one form that equal values share: vendors write numbers, yes and no in ways of their own. */
function canonical(text: string, type: AttributeType | undefined): string {
  // A CSV file may have turned the ends of lines.
  const whole = text.replaceAll(/\r\n?/g, '\n');
  const trimmed = whole.trim();
  switch (type) {
    case 'integer':
    case 'float':
      return number(trimmed);
    case 'boolean':
      return WORDS[trimmed.toLowerCase()] ?? trimmed.toLowerCase();
    case 'date':
    case 'timestamp':
      return DAY.test(trimmed) ? trimmed.slice(0, 10) : trimmed;
    case 'json':
      return ordered(whole);
    case 'text':
    case undefined:
      return whole;
    default:
      return type satisfies never;
  }
}

/** The keys of an object in one order: a vendor need not keep ours. */
function ordered(text: string): string {
  const value = /^\s*[[{]/.test(text) ? readJson(text) : undefined;
  return value === undefined ? text : renderJson(sorted(value));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]): [string, Json] => [key, sorted(each)]));
}

/** A value as the text that a reading has of it; null and what is absent are empty. */
export function rendered(value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : renderJson(value);
}

/** Whether a value that would be sent is what a text says. */
export function sameValue(value: Json, text: string, type: AttributeType | undefined): boolean {
  return canonical(rendered(value), type) === canonical(text, type);
}
