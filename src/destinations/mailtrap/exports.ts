import type { Exchange } from '../../core/destination.ts';
import type { ExportPlan, ExportProgress } from '../../core/exports.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { MailtrapConfig } from './config.ts';
import { readProblems } from './errors.ts';
import { readJson } from '../../core/wire.ts';
import { rows } from './export-rows.ts';
import { differs } from './export-values.ts';
import { failureOf, stopped } from './failure.ts';
import { contactsPath } from './paths.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { get } from './reads.ts';

type Read<Value> = ReturnType<Exchange<Value>['interpret']>;

const ANOTHER_RUNS = /\bprevious export\b/i;

function body(text: string): JsonObject {
  const json = readJson(text);
  if (json === undefined || !isJsonObject(json)) return {};
  return isJsonObject(json['data']) ? json['data'] : json;
}

/** POST .../contacts/exports: 201 with an id. 422 while another export of the account is at work. */
function start(config: MailtrapConfig): Exchange<string> {
  return {
    request: {
      method: 'POST',
      url: `${config.base_url}${contactsPath(config)}/exports`,
      headers: JSON_HEADERS,
      body: '{"filters":[]}',
    },
    interpret(response): Read<string> {
      const failure = failureOf(response);
      if (failure?.kind === 'reject') {
        const busy = readProblems(response.body).some(({ message }) => ANOTHER_RUNS.test(message));
        if (busy) return { ok: false, outcome: { ...failure, kind: 'retry', code: 'export_busy' } };
      }
      const { id } = failure === undefined ? body(response.body) : {};
      return typeof id === 'number' || typeof id === 'string' ? { ok: true, value: String(id) } : stopped(response);
    },
  };
}

/** GET .../contacts/exports/{id}: `created`, `started`, `finished`. No state says failed, so callers need a limit of time. */
function poll(id: string, config: MailtrapConfig): Exchange<ExportProgress> {
  return {
    request: get(config, `${contactsPath(config)}/exports/${encodeURIComponent(id)}`),
    interpret(response): Read<ExportProgress> {
      if (failureOf(response) !== undefined) return stopped(response);
      const { status, url } = body(response.body);
      if (typeof status !== 'string') return stopped(response);
      if (status === 'finished' && typeof url === 'string' && url !== '') {
        return { ok: true, value: { state: 'finished', url } };
      }
      // In no enum of the vendor's, but what else could it mean.
      if (/^(?:failed|error|errored|cancell?ed)$/.test(status)) {
        return { ok: true, value: { state: 'failed', message: `Mailtrap says that the export is ${status}.` } };
      }
      return { ok: true, value: { state: 'running' } };
    },
  };
}

/** Exports of all contacts (OpenAPI "Contacts" 2.0.0, "Export Contacts"). The file is a gzipped CSV at a link of its own. */
export const contactExports: ExportPlan<MailtrapConfig> = {
  start,
  poll,
  rows,
  differs,
  // The columns of the export are not documented, those of lists least of all.
  saysMore: ({ lists }) => lists.length > 0,
};
