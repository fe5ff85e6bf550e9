import { LosslessNumber } from 'lossless-json';
import { isJsonObject, type Json, parseJson, renderJson } from '../../../src/core/json.ts';

/** A JSON object as text that is equal for equal values: numbers without idle zeros, times in UTC, nulls left out. */
export function canonical(object: Json): string {
  if (!isJsonObject(object)) throw new TypeError('no object');
  return Object.entries(object)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${canonicalValue(value)}`)
    .toSorted()
    .join(' ');
}

/** The same, of JSON text. */
export function canonicalText(text: string): string {
  return canonical(parseJson(text));
}

function canonicalValue(value: Json): string {
  if (value instanceof LosslessNumber || typeof value === 'number') return number(String(value));
  return typeof value === 'string' ? time(value) : renderJson(value);
}

function number(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(Z|[+-]\d{2}(?::?\d{2})?)$/;

function time(text: string): string {
  const [, day, clock, fraction = '', zone = 'Z'] = TIME.exec(text) ?? [];
  if (day === undefined) return JSON.stringify(text);
  const offset = zone.length === 3 ? `${zone}:00` : zone;
  const seconds = new Date(`${day}T${clock}${offset}`).toISOString().slice(0, 19);
  return `"${seconds}.${fraction.padEnd(6, '0')}Z"`;
}
