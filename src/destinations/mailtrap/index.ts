import type { Destination, HttpRequest, Operation } from '../../core/destination.ts';
import type { Limits } from '../../core/limits.ts';
import { renderJson } from '../../core/json.ts';
import { ADVICE } from './advice.ts';
import { bulk } from './bulk.ts';
import { type MailtrapConfig, mailtrapConfig } from './config.ts';
import { declare } from './declare.ts';
import { encode } from './encode.ts';
import { encodeEvent, EVENT_LIMITS } from './encode-event.ts';
import { contactExports } from './exports.ts';
import { fields } from './fields.ts';
import { inbound } from './inbound.ts';
import { interpret } from './interpret.ts';
import { lists } from './lists.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { lookup, probe } from './reads.ts';
import { suppressions } from './suppressions.ts';

/** The published limits (Mailtrap API documentation, "Rate limits"): contacts and suppressions per account, everything per token. */
function limits(config: MailtrapConfig): Limits {
  const scaled = (requests: number): number => Math.max(1, Math.floor(requests * config.limits_scale));
  return {
    buckets: [
      {
        name: 'contacts',
        requests: scaled(config.requests_per_minute),
        perMs: 60_000,
        of: ['contact', 'event', 'bulk', 'poll', 'read'],
      },
      { name: 'api', requests: scaled(150), perMs: 10_000 },
      { name: 'suppressions', requests: scaled(10), perMs: 60_000, of: ['suppressions'] },
    ],
    concurrency: config.concurrency,
  };
}

function request(batch: readonly Operation[], config: MailtrapConfig): HttpRequest {
  const [operation] = batch;
  // Operations carry no batch key, so there is exactly one.
  if (operation === undefined || batch.length > 1) throw new RangeError('a Mailtrap request carries one operation');
  return {
    method: operation.method,
    url: config.base_url + operation.path,
    headers: JSON_HEADERS,
    body: operation.body === null ? null : renderJson(operation.body),
  };
}

/** Mailtrap contacts (email marketing). README.md beside this file says what is sent when, and from which facts. */
export const mailtrap: Destination<MailtrapConfig> = {
  id: 'mailtrap',
  name: 'Mailtrap',
  docsUrl: 'https://docs.mailtrap.io',
  config: mailtrapConfig,
  capabilities: {
    contact: 'upsert',
    remove: 'hard',
    address: 'email',
    fields: true,
    lists: true,
    events: 'unkeyed',
    consent: { tell: true, read: ['contact', 'export', 'suppressions'], webhook: 'signed' },
    bulk: 'job',
    idempotency: 'upsert',
    rateHeaders: ['retry-after'],
    homes: ['worker', 'edge', 'sql'],
    unverified: [
      { what: 'null clears a field', setting: 'clear_as' },
      { what: 'how long paths with the account in them live', setting: 'account_id' },
    ],
  },
  account: (config) => `${config.base_url} ${config.account_id ?? ''}`.trimEnd(),
  standIn: (url, secret) => ({ api_token: secret, base_url: url }),
  limits,
  auth: (config) => ({ header: 'authorization', value: `Bearer ${config.api_token}` }),
  declare,
  encode,
  encodeEvent,
  eventLimits: EVENT_LIMITS,
  request,
  interpret,
  advice: ADVICE,
  bulk,
  probe,
  lookup,
  fields,
  exports: contactExports,
  lists,
  suppressions,
  inbound,
};

export default mailtrap;
