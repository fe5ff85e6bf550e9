import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { isJsonObject, renderJson, type Json, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import { numbers } from './contact-input.ts';
import type { Job } from '../../../sandbox/jobs.ts';
import { statusOf } from './job-status.ts';
import { badRequest, invalid, notFound, reply } from './replies.ts';
import { contactView, type SandboxContact } from './views.ts';

/** Files kept for download; older ones are forgotten. */
const KEPT_FILES = 5;

/** Under this path finished exports are served, without a token, as the vendor's signed links are. */
export const FILES_PATH = '/exports/';

/** The filters as they were sent. */
export type ExportWork = readonly Json[];

type Filter = (contact: SandboxContact) => boolean;

/** POST /api/contacts/exports. One at a time. */
export function createExport(account: Account, request: ApiRequest): ApiReply {
  const json = request.json();
  if (json === null) return badRequest;
  const sent = isJsonObject(json.value) ? json.value['filters'] : null;
  const asked = sent === undefined ? [] : sent;
  // Recorded traffic has a bare string here, though the spec's schema says a list of strings.
  if (!Array.isArray(asked) || readFilters(asked as ExportWork) === null)
    return reply(422, { errors: { filters: 'invalid' } });
  if (account.exports.busy) {
    return invalid({
      base: ['There is a previous export initiated. You will be notified by email once it is completed.'],
    });
  }
  return reply(201, exportView(account.exports.start(asked as ExportWork)));
}

/** GET /api/contacts/exports/{id}. */
export function getExport(account: Account, id: number): ApiReply {
  const job = account.exports.poll(id);
  return job === undefined ? notFound : reply(200, exportView(job));
}

/** GET of a finished file. */
export function getExportFile(account: Account, path: string): ApiReply {
  const file = account.files.get(path);
  if (file === undefined) return notFound;
  return { status: 200, headers: { 'content-type': 'application/gzip' }, body: file };
}

function exportView(job: Job<ExportWork>): JsonObject {
  return {
    id: job.id,
    status: statusOf(job),
    created_at: new Date(job.createdAt).toISOString(),
    updated_at: new Date(job.updatedAt).toISOString(),
    url: job.result,
  };
}

/** One filter per entry, all of which must hold; null when the list is malformed. */
function readFilters(value: ExportWork): Filter[] | null {
  const filters = value.map(readFilter);
  return filters.every((filter) => filter !== null) ? filters : null;
}

function readFilter(filter: Json): Filter | null {
  if (!isJsonObject(filter) || filter['operator'] !== 'equal') return null;
  const wanted = filter['value'];
  if (filter['name'] === 'list_id' && Array.isArray(wanted)) {
    const ids = new Set(numbers(wanted));
    return ids.size === wanted.length ? (contact) => contact.list_ids.some((id) => ids.has(id)) : null;
  }
  if (filter['name'] === 'subscription_status' && (wanted === 'subscribed' || wanted === 'unsubscribed')) {
    return (contact) => contact.status === wanted;
  }
  return null;
}

/** Does the work of an export: the columns of the vendor's file are not published, so these are ours. @returns where it is */
export function makeFile(account: Account, work: ExportWork): string {
  const filters = readFilters(work) ?? [];
  const { store, files } = account;
  const tags = [...store.fields.keys()];
  const rows = [['id', 'email', 'status', 'list_ids', 'created_at', 'updated_at', ...tags]];
  for (const stored of store.contacts()) {
    const contact = contactView(stored, store);
    if (!filters.every((filter) => filter(contact))) continue;
    rows.push([
      contact.id,
      contact.email,
      contact.status,
      contact.list_ids.join(' '),
      new Date(contact.created_at).toISOString(),
      new Date(contact.updated_at).toISOString(),
      ...tags.map((tag) => cell(contact.fields[tag])),
    ]);
  }
  const path = `${FILES_PATH}${randomBytes(16).toString('hex')}.csv.gz`;
  files.set(path, gzipSync(`${rows.map((row) => row.map(quote).join(',')).join('\r\n')}\r\n`));
  for (const old of files.keys()) {
    if (files.size <= KEPT_FILES) break;
    files.delete(old);
  }
  return account.url() + path;
}

function cell(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : renderJson(value);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
