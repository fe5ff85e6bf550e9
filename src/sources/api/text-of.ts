import { type Json, renderJson } from '../../core/json.ts';

/** A value of a key as the server wrote it. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : renderJson(value);
}
