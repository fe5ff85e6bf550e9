import { LosslessNumber } from 'lossless-json';
import type { Json } from '../core/json.ts';

const DEEPEST = 50;

/**
 * A value of a program as JSON: times as ISO 8601, `bigint` digit for digit, what JSON has no word for left out, as
 * `JSON.stringify` does.
 * @returns undefined where nothing is left of it
 * @throws RangeError when it is nested too deep, or within itself
 */
export function plainJson(value: unknown, depth = 0): Json | undefined {
  if (depth > DEEPEST) throw new RangeError(`nested deeper than ${DEEPEST} levels`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return new LosslessNumber(value.toString());
  if (typeof value !== 'object') return undefined;
  if (value instanceof LosslessNumber) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return plainJson(value.toJSON(), depth + 1);
  if (Array.isArray(value)) return value.map((item) => plainJson(item, depth + 1) ?? null);
  const entries = Object.entries(value).flatMap(([name, item]): [string, Json][] => {
    const plain = plainJson(item, depth + 1);
    return plain === undefined ? [] : [[name, plain]];
  });
  return Object.fromEntries(entries);
}
