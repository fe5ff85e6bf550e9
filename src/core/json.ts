import { isSafeNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/** A JSON value whose numbers are exact: those a double would change are carried as `LosslessNumber`. */
export type Json =
  | null
  | boolean
  | number
  | string
  | LosslessNumber
  | readonly Json[]
  | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

// Sixteen digits in a row (a point between them allowed) or an exponent is the least that a double can get wrong.
const MAY_LOSE_DIGITS = /\d[\d.]{15}|\d[eE]/;
const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"/g;

/** Digits within strings lose nothing, and ids have them often: parsing exactly takes many times as long, and as much memory. */
function mayLoseDigits(text: string): boolean {
  return MAY_LOSE_DIGITS.test(text) && MAY_LOSE_DIGITS.test(text.replace(STRINGS, '""'));
}

/**
 * Parses JSON text without losing digits.
 * @throws SyntaxError on malformed text
 */
export function parseJson(text: string): Json {
  if (!mayLoseDigits(text)) return JSON.parse(text) as Json;
  return parse(text, undefined, (digits) =>
    isSafeNumber(digits) ? Number(digits) : new LosslessNumber(digits),
  ) as Json;
}

/** What the engine's own renderer makes of an exact number: the name of a field in it. */
const EXACT = 'isLosslessNumber';

/** Renders a value as JSON text; exact numbers come out digit for digit. @param indent for people to read; one line when absent */
export function renderJson(value: Json, indent?: number): string {
  // Most values have none, and the engine's own is several times as fast.
  const text = JSON.stringify(value, null, indent) as string | undefined;
  return text === undefined ? 'null' : text.includes(EXACT) ? (stringify(value, null, indent) ?? 'null') : text;
}

/** Whether a value is a plain JSON object (and not an exact number). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LosslessNumber);
}
