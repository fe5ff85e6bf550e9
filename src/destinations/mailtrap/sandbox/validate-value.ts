import { LosslessNumber } from 'lossless-json';
import type { Json } from '../../../core/json.ts';

export const DATA_TYPES = ['text', 'integer', 'float', 'boolean', 'date'] as const;
export type DataType = (typeof DATA_TYPES)[number];

/** Most characters of a text value [vendor's guide to custom fields]. */
const MAX_TEXT = 255;

const INVALID = 'is invalid';
const TOO_LONG = `is too long (maximum is ${MAX_TEXT} characters)`;

const CHECKS: Readonly<Record<DataType, (value: Json) => string | null>> = {
  text: (value) => (typeof value === 'string' ? (isTooLong(value) ? TOO_LONG : null) : INVALID),
  integer: (value) => (isInteger(value) ? null : INVALID),
  float: (value) => (typeof value === 'number' || value instanceof LosslessNumber ? null : INVALID),
  boolean: (value) => (typeof value === 'boolean' ? null : INVALID),
  date: (value) => (typeof value === 'string' && isDay(value) ? null : INVALID),
};

/** What is wrong with a value for a field of this type, in the vendor's words, or null. `null` clears and is always right. */
export function valueError(type: DataType, value: Json): string | null {
  return value === null ? null : CHECKS[type](value);
}

/** Whether text is a day of the calendar written as yyyy-mm-dd. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function isInteger(value: Json): boolean {
  return value instanceof LosslessNumber ? /^-?\d+$/.test(value.toString()) : Number.isInteger(value);
}

/** Whether a text has more than 255 characters: code points, as JSON Schema counts. */
export function isTooLong(text: string): boolean {
  return text.length > MAX_TEXT && Array.from(text).length > MAX_TEXT;
}
