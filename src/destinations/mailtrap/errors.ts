import { isJsonObject, type Json, renderJson } from '../../core/json.ts';
import { cut, readJson } from '../../core/wire.ts';

/** One complaint of the vendor. */
export interface Problem {
  /** The attribute it is about; undefined for the whole record. */
  readonly field: string | undefined;
  readonly message: string;
}

const MOST_PROBLEMS = 20;
const DEEPEST = 8;

function collect(value: Json | undefined, field: string | undefined, depth: number, into: Problem[]): void {
  if (into.length >= MOST_PROBLEMS || depth > DEEPEST || value === null || value === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collect(item, field, depth + 1, into);
  } else if (isJsonObject(value)) {
    // Imports answer with one `{email, errors}` per refused row.
    const perRow = 'errors' in value && 'email' in value && typeof value['email'] === 'string';
    if (perRow) return collect(value['errors'], undefined, depth + 1, into);
    for (const [key, inner] of Object.entries(value)) collect(inner, key === 'base' ? undefined : key, depth + 1, into);
  } else {
    into.push({ field, message: typeof value === 'string' ? value : renderJson(value) });
  }
}

/**
 * The complaints in an error body. Mailtrap answers in many shapes: `error` or `errors`, holding a text, a list of
 * texts, a list of lists, an object of any of these by attribute (`base` is the whole record), or a list of
 * `{email, errors}` (OpenAPI "Contacts" 2.0.0, and recorded answers in the official Ruby client's tests).
 * @returns an empty list for a body in none of these shapes; never throws
 */
export function readProblems(body: string): readonly Problem[] {
  const json = readJson(body);
  if (json === undefined || !isJsonObject(json)) return [];
  const problems: Problem[] = [];
  collect(json['errors'] ?? json['error'], undefined, 0, problems);
  return problems;
}

/** The vendor's words in one line; the status when it had none. */
export function describe(problems: readonly Problem[], status: number): string {
  if (problems.length === 0) return `Mailtrap answered with status ${status} and no readable error.`;
  return cut(problems.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`)).join('; '));
}
