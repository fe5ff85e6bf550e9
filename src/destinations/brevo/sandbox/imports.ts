import { parse } from 'csv-parse/sync';
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { isReply, listIdsOf, objectOf, textOf } from './contact-input.ts';
import { invalid, missing, notJson, notThere, reply } from './replies.ts';

/** The rows of `fileBody`: columns divided by semicolons, the first line names them. */
function fileRows(text: string): JsonObject[] {
  const lines = parse(text, {
    delimiter: ';',
    columns: true,
    skip_empty_lines: true,
    relax_column_count: true,
  }) as Record<string, string>[];
  return lines.map(({ EMAIL, email, ...attributes }) => ({ email: EMAIL ?? email ?? '', attributes }));
}

/** POST /contacts/import: 202 with a process. Nothing is said of a row here. */
export function createImport(
  account: Account,
  request: ApiRequest,
  rejects: (address: string) => boolean,
  onEnd: (url: string, id: number) => void,
): ApiReply {
  const body = objectOf(request);
  if (body === null) return notJson;
  const { store } = account;
  const { jsonBody, fileBody, fileUrl, newList, notifyUrl } = body;
  if (fileUrl !== undefined) return invalid('This stand-in fetches no files: send jsonBody or fileBody');
  const rows = typeof fileBody === 'string' ? fileRows(fileBody) : jsonBody;
  if (!Array.isArray(rows)) return missing('One of fileUrl, fileBody or jsonBody is required');
  const ids = listIdsOf(body['listIds'], store);
  if (isReply(ids)) return ids;
  const made = isJsonObject(newList) && typeof newList['listName'] === 'string' ? newList : undefined;
  if (made !== undefined && !store.folders.has(Number(made['folderId']))) return notThere('Folder ID');
  if (ids.length === 0 && made === undefined) return missing('listIds or newList is required');
  const joined = made === undefined ? ids : [store.addList(textOf(made['listName']), Number(made['folderId'])).id];
  const refused = (rows as readonly Json[]).flatMap((row) => {
    const email = isJsonObject(row) ? row['email'] : undefined;
    return typeof email === 'string' && rejects(email) ? [email] : [];
  });
  const { id } = account.imports.start({
    rows,
    lists: joined,
    refused,
    update: body['updateExistingContacts'] !== false,
    empty: body['emptyContactsAttributes'] === true,
    block: body['emailBlacklist'] === true,
    blockSms: body['smsBlacklist'] === true,
  });
  if (typeof notifyUrl === 'string') onEnd(notifyUrl, id);
  return reply(202, { processId: id });
}

const STATUSES = ['queued', 'processing', 'completed'] as const;
const REPORTS = [
  'invalid_emails',
  'duplicate_phone_id',
  'duplicate_whatsapp_id',
  'duplicate_landline_number_id',
] as const;
const REPORT_PATH = /^\/process-reports\/(\d{1,15})\/([a-z_]+)\.csv$/;

function reportOf(result: Json, name: string): readonly Json[] {
  const found = isJsonObject(result) ? result[name] : undefined;
  return Array.isArray(found) ? (found as readonly Json[]) : [];
}

/** GET /processes/{id}. What is wrong with rows stands in files, and only once it is completed. */
export function getProcess(account: Account, id: number): ApiReply {
  const job = account.imports.poll(id);
  if (job === undefined) return notThere('Process');
  const status = STATUSES[job.stage] ?? 'completed';
  const links = REPORTS.map((name): [string, Json] => {
    const link = `${account.url()}/process-reports/${id}/${name}.csv`;
    return [name, reportOf(job.result, name).length === 0 ? null : link];
  });
  const info = status === 'completed' ? { info: { import: Object.fromEntries(links) } } : {};
  return reply(200, { id, name: 'IMPORTUSER', status, ...info });
}

/** A file behind a link of `getProcess`, without a key as a signed link has none; null for any other path. */
export function getReport(account: Account, path: string): ApiReply | null {
  const [, id, name] = REPORT_PATH.exec(path) ?? [];
  const job = id === undefined ? undefined : account.imports.poll(Number(id));
  if (job === undefined || name === undefined) return null;
  const lines = reportOf(job.result, name).map((each) => `${textOf(each)}\n`);
  return { status: 200, headers: { 'content-type': 'text/csv' }, body: `EMAIL\n${lines.join('')}` };
}
