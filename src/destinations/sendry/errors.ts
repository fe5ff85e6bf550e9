import { isJsonObject, type Json, type JsonObject, renderJson } from '../../core/json.ts';
import { cut, readJson } from '../../core/wire.ts';

/** One complaint of the vendor. */
export interface Problem {
  /** The field it is about; undefined for the whole request. */
  readonly field: string | undefined;
  readonly message: string;
}

/** An error body. */
export interface SendryError {
  /** The vendor's own word for the cause, such as `insufficient_scope`. */
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly problems: readonly Problem[];
}

const MOST_PROBLEMS = 20;
const DEEPEST = 8;
const FIELD_KEYS = ['field', 'path', 'property', 'param'];

function nameOf(value: Json | undefined): string | undefined {
  if (Array.isArray(value)) return value.map(String).join('.') || undefined;
  // Some write `/email`, a pointer into the body.
  return typeof value === 'string' ? value.replace(/^[/.]/, '').replaceAll('/', '.') || undefined : undefined;
}

function collect(value: Json | undefined, field: string | undefined, depth: number, into: Problem[]): void {
  if (into.length >= MOST_PROBLEMS || depth > DEEPEST || value === null || value === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collect(item, field, depth + 1, into);
  } else if (isJsonObject(value)) {
    const { message } = value;
    if (typeof message === 'string') {
      const own = FIELD_KEYS.map((key) => nameOf(value[key])).find((name) => name !== undefined);
      into.push({ field: own ?? field, message });
      return;
    }
    for (const [key, inner] of Object.entries(value)) collect(inner, key, depth + 1, into);
  } else {
    into.push({ field, message: typeof value === 'string' ? value : renderJson(value) });
  }
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Reads an error body in either documented shape: `{statusCode, code, message, details}` (Sendry documentation, "Error Codes") or
 * `{error: {code, message, details}}` (the SDKs). What `details` holds is documented nowhere, so texts, lists and objects by field
 * are all read. Never throws.
 */
export function readError(body: string): SendryError {
  const json = readJson(body);
  const whole: JsonObject = isJsonObject(json) ? json : {};
  const own: JsonObject = isJsonObject(whole['error']) ? whole['error'] : whole;
  const problems: Problem[] = [];
  collect(own['details'] ?? own['errors'], undefined, 0, problems);
  return { code: textIn(own['code']), message: textIn(own['message']) ?? textIn(whole['error']), problems };
}

/** The vendor's words in one line; the status when it had none. */
export function describe({ code, message, problems }: SendryError, status: number): string {
  const first = message ?? code;
  const rest = problems.map(({ field, message: words }) => (field === undefined ? words : `${field}: ${words}`));
  const lines = first === undefined ? rest : [first, ...rest.filter((line) => line !== first)];
  return lines.length === 0 ? `Sendry answered with status ${status} and no readable error.` : cut(lines.join('; '));
}
