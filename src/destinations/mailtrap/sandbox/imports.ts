import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ApiReply, ApiRequest } from '../../../sandbox/api-request.ts';
import type { Account } from './account.ts';
import {
  complainAboutFields,
  complainAboutLists,
  complainAboutOverlap,
  hasComplaints,
  mergeFields,
  numbers,
  type Complaints,
} from './contact-input.ts';
import type { Job } from '../../../sandbox/jobs.ts';
import { statusOf } from './job-status.ts';
import { badRequest, invalid, notFound, reply } from './replies.ts';
import { emailError } from './validate-email.ts';

/** [MT-spec: import contacts] */
const MAX_IMPORT = 50_000;

/** Rows that were found right. */
export type ImportWork = readonly JsonObject[];

interface Counts {
  created: number;
  updated: number;
  overLimit: number;
}

/**
 * POST /api/contacts/imports. One bad row refuses the whole request, with a report per bad row; once accepted there is
 * no report per row. An import never changes an opt-out: it says nothing about subscription.
 */
export function createImport(account: Account, request: ApiRequest, rejects: (email: string) => boolean): ApiReply {
  const json = request.json();
  if (json === null) return badRequest;
  const rows = isJsonObject(json.value) ? json.value['contacts'] : undefined;
  if (!Array.isArray(rows)) return invalid({ contacts: ['must be an array'] }, account.errorStyle);
  if (rows.length > MAX_IMPORT) {
    const email = addressOf(rows[0]);
    return reply(422, {
      errors: [{ email, errors: { base: [`cannot import more than ${MAX_IMPORT} contacts at once`] } }],
    });
  }
  const errors: Json[] = [];
  for (const row of rows as readonly Json[]) {
    const complaints = complaintsAbout(row, account);
    if (!hasComplaints(complaints) && rejects(addressOf(row))) complaints['email'] = ['is invalid'];
    if (hasComplaints(complaints)) errors.push({ email: addressOf(row), errors: complaints });
  }
  if (errors.length > 0) return reply(422, { errors });
  return reply(201, importView(account.imports.start(rows as ImportWork)));
}

/** GET /api/contacts/imports/{id}. */
export function getImport(account: Account, id: number): ApiReply {
  const job = account.imports.poll(id);
  return job === undefined ? notFound : reply(200, importView(job));
}

function importView(job: Job<ImportWork>): JsonObject {
  const counts = job.result as unknown as Counts | null;
  const view = { id: job.id, status: statusOf(job) };
  return counts === null
    ? view
    : {
        ...view,
        created_contacts_count: counts.created,
        updated_contacts_count: counts.updated,
        contacts_over_limit_count: counts.overLimit,
      };
}

function complaintsAbout(row: Json, account: Account): Complaints {
  const complaints: Complaints = {};
  if (!isJsonObject(row)) return { base: ['must be a hash'] };
  const wrong = emailError(row['email']);
  if (wrong !== null) complaints['email'] = [wrong];
  complainAboutFields(row['fields'], account.store, complaints);
  complainAboutLists(row['list_ids_included'], 'list_ids_included', account.store, complaints);
  complainAboutLists(row['list_ids_excluded'], 'list_ids_excluded', account.store, complaints);
  complainAboutOverlap(row['list_ids_included'], row['list_ids_excluded'], complaints);
  return complaints;
}

/** Does the work of an import. @returns the counts it answers with */
export function applyImport(account: Account, rows: ImportWork): JsonObject {
  const { store } = account;
  const counts: Counts = { created: 0, updated: 0, overLimit: 0 };
  for (const row of rows) {
    const email = addressOf(row);
    const current = store.findByEmail(email) ?? null;
    if (current === null && store.size >= account.maxContacts) {
      counts.overLimit += 1;
      continue;
    }
    store.write(current, email, (draft) => {
      mergeFields(draft.fields, stillKnown(row['fields'], account));
      for (const id of numbers(row['list_ids_included'])) if (store.lists.has(id)) draft.lists.add(id);
      for (const id of numbers(row['list_ids_excluded'])) draft.lists.delete(id);
    });
    if (current === null) counts.created += 1;
    else counts.updated += 1;
  }
  return { ...counts };
}

/** A field may have been deleted between the request and the work. */
function stillKnown(fields: Json | undefined, account: Account): Json | undefined {
  if (!isJsonObject(fields)) return undefined;
  return Object.fromEntries(Object.entries(fields).filter(([tag]) => account.store.fields.has(tag)));
}

function addressOf(row: Json | undefined): string {
  const email = isJsonObject(row) ? row['email'] : undefined;
  return typeof email === 'string' ? email : '';
}
