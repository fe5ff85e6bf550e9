import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts';

/** The body of a Database Webhook, as `supabase_functions.http_request` makes it. */
export interface RowWebhook {
  readonly type: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly schema: string;
  readonly table: string;
  /** The row as it is now; null when it was deleted. */
  readonly record: JsonObject | null;
  /** The row as it was; null when it was inserted. */
  readonly old_record: JsonObject | null;
}

/** What a body says, or why it is none; nobody's data is in that. */
export type WebhookReading =
  | { readonly ok: true; readonly webhook: RowWebhook }
  | { readonly ok: false; readonly problem: string };

const TYPES: readonly unknown[] = ['INSERT', 'UPDATE', 'DELETE'];

/** Reads a body. Keys that are not known are no mistake, as the platform adds some. */
export function readWebhook(body: string): WebhookReading {
  const payload = parsed(body);
  if (payload === undefined) return problem('the body is no JSON object');
  const { type, table, schema } = payload;
  if (!TYPES.includes(type)) return problem('"type" is none of INSERT, UPDATE and DELETE');
  if (typeof table !== 'string' || typeof schema !== 'string') return problem('"schema" and "table" are no texts');
  const rows: (JsonObject | null)[] = [];
  for (const name of ['record', 'old_record'] as const) {
    const row = payload[name] ?? null;
    if (row !== null && !isJsonObject(row)) return problem(`"${name}" is no object`);
    rows.push(row);
  }
  const [record = null, old = null] = rows;
  if (record === null && old === null) return problem('there is neither "record" nor "old_record"');
  return { ok: true, webhook: { type: type as RowWebhook['type'], schema, table, record, old_record: old } };
}

function parsed(body: string): JsonObject | undefined {
  try {
    const value = parseJson(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function problem(text: string): WebhookReading {
  return { ok: false, problem: text };
}
