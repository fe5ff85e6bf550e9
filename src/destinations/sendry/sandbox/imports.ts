import { parse } from 'csv-parse/sync';
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { contactProblems } from './contact-input.ts';
import { type Answer, bodyOf, upsert } from './contacts.ts';
import { readForm } from './multipart.ts';
import { audienceNotFound, badJson, invalid, planLimit, reply } from './replies.ts';

/** Documentation, "Bulk import contacts". */
const MOST_ROWS = 1_000;
const NAMES: ReadonlySet<string> = new Set(['email', 'first_name', 'last_name', 'unsubscribed']);

/** Takes rows in: those that are refused are left out, and named where the answer has a place for it. */
function take(
  account: Account,
  rows: readonly Json[],
  audience: Json | undefined,
  rejects: (address: string) => boolean,
): Answer {
  const { store, settings } = account;
  if (audience !== undefined && (typeof audience !== 'string' || !store.audiences.has(audience))) {
    return audienceNotFound;
  }
  const errors: JsonObject[] = [];
  const good = rows.flatMap((row, index): (JsonObject & { email: string })[] => {
    const body = isJsonObject(row) ? row : {};
    const { email } = body;
    const [field, problem] = Object.entries(contactProblems(body, true))[0] ?? [];
    const message = problem ?? (typeof email === 'string' && rejects(email) ? 'is refused' : undefined);
    if (message === undefined && typeof email === 'string') return [{ ...body, email }];
    errors.push({ index, email: typeof email === 'string' ? email : null, message: `${field ?? 'email'} ${message}` });
    return [];
  });
  const fresh = new Set(good.map(({ email }) => email.toLowerCase()).filter((email) => !store.byAddress(email)));
  // The whole import, before anything is written (documentation, "Bulk import contacts").
  if (store.size + fresh.size > settings.maxContacts) return planLimit;
  for (const body of good) upsert(account, audience === undefined ? body : { ...body, audience_id: audience });
  if (settings.importAnswer === 'docs') {
    return reply(200, { imported: good.length, skipped: errors.length, errors });
  }
  return reply(200, { created: fresh.size, updated: good.length - fresh.size, total: rows.length });
}

/** POST /v1/contacts/import: JSON, at most 1,000 contacts. */
export function importJson(account: Account, request: ApiRequest, rejects: (address: string) => boolean): Answer {
  const body = bodyOf(request);
  if (body === undefined) return badJson;
  const { contacts, audience_id: audience } = body;
  if (!Array.isArray(contacts)) return invalid({ contacts: 'must be an array' });
  if (contacts.length > MOST_ROWS) return invalid({ contacts: `must have at most ${MOST_ROWS} items` });
  return take(account, contacts as readonly Json[], audience, rejects);
}

/** POST /v1/contacts/bulk-import: the form of the recipe. Columns it does not name are taken as attributes. */
export function importFile(account: Account, request: ApiRequest, rejects: (address: string) => boolean): Answer {
  const parts = readForm(request.headers['content-type'], request.body);
  const file = parts?.find(({ name }) => name === 'file')?.text;
  if (parts === undefined || file === undefined) return invalid({ file: 'is required' });
  const records = csvRecords(file);
  if (records === undefined) return invalid({ file: 'is no CSV' });
  const rows = records.map((record): JsonObject => {
    const { email = '', first_name: first, last_name: last, unsubscribed, ...others } = record;
    const attributes = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== ''));
    const named: Record<string, Json> = { email, metadata: attributes, properties: attributes };
    if (first !== undefined && first !== '') named['first_name'] = first;
    if (last !== undefined && last !== '') named['last_name'] = last;
    if (unsubscribed !== undefined && unsubscribed !== '') named['unsubscribed'] = unsubscribed === 'true';
    return named;
  });
  return take(account, rows, parts.find(({ name }) => name === 'audience_id')?.text, rejects);
}

function csvRecords(text: string): readonly Record<string, string>[] | undefined {
  try {
    const records = parse<Record<string, string>>(text, { columns: true, skip_empty_lines: true });
    return records.every((record) => Object.keys(record).some((name) => NAMES.has(name))) ? records : undefined;
  } catch {
    return undefined;
  }
}
