import type { Destination, HttpRequest, Operation } from '../../core/destination.ts';
import { renderJson } from '../../core/json.ts';
import type { Limits } from '../../core/limits.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { audiences } from './audiences.ts';
import { bulk } from './bulk.ts';
import { type SendryConfig, sendryConfig } from './config.ts';
import { declare } from './declare.ts';
import { encode } from './encode.ts';
import { encodeEvent } from './encode-event.ts';
import { inbound } from './inbound.ts';
import { interpret } from './interpret.ts';
import { pages } from './pages.ts';
import { lookup, probe } from './reads.ts';
import { suppressions } from './suppressions.ts';

/** Sendry publishes no number, only that 429 comes with `Retry-After` (skills/sendry-api). */
function limits(config: SendryConfig): Limits {
  const requests = Math.max(1, Math.floor(config.requests_per_second * config.limits_scale));
  return { buckets: [{ name: 'api', requests, perMs: 1_000 }], concurrency: config.concurrency };
}

function request(batch: readonly Operation[], config: SendryConfig): HttpRequest {
  const [operation] = batch;
  // Operations carry no batch key, so there is exactly one.
  if (operation === undefined || batch.length > 1) throw new RangeError('a Sendry request carries one operation');
  return {
    method: operation.method,
    url: config.base_url + operation.path,
    headers: JSON_HEADERS,
    body: operation.body === null ? null : renderJson(operation.body),
  };
}

/** Sendry contacts. README.md beside this file says what is sent when, and from which facts. */
export const sendry: Destination<SendryConfig> = {
  id: 'sendry',
  name: 'Sendry',
  docsUrl: 'https://docs.sendry.online',
  config: sendryConfig,
  capabilities: {
    contact: 'upsert',
    remove: 'hard',
    address: 'email',
    fields: false,
    lists: true,
    events: 'keyed',
    consent: { tell: true, read: ['contact', 'list', 'suppressions'], webhook: 'signed' },
    bulk: 'answer',
    idempotency: 'upsert',
    rateHeaders: ['retry-after'],
    homes: ['worker', 'edge', 'sql'],
    unverified: [
      { what: 'an upsert without `unsubscribed` does not resubscribe', setting: 'upsert_keeps_unsubscribed' },
      { what: 'attributes go into `metadata`, not into `properties`', setting: 'attributes_as' },
      { what: 'a PUT keeps what it does not name', setting: 'dialect' },
      { what: '`bulk-import`, the columns of its file and its answer', setting: 'bulk' },
      { what: 'how many requests are allowed', setting: 'requests_per_second' },
    ],
  },
  account: (config) => config.base_url,
  standIn: (url, secret) => ({ api_key: secret, base_url: url }),
  limits,
  auth: (config) => ({ header: 'authorization', value: `Bearer ${config.api_key}` }),
  declare,
  encode,
  encodeEvent,
  request,
  interpret,
  bulk,
  probe,
  lookup,
  looksFirst: (config) => !config.upsert_keeps_unsubscribed,
  pages,
  lists: audiences,
  suppressions,
  inbound,
};

export default sendry;
