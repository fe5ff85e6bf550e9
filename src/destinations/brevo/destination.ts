import type { Destination, HttpRequest, Operation } from '../../core/destination.ts';
import { type Json, renderJson } from '../../core/json.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { bulk } from './bulk.ts';
import { type BrevoConfig, brevoConfig } from './config.ts';
import { declare } from './declare.ts';
import { encode } from './encode.ts';
import { encodeEvent, EVENT_LIMITS } from './encode-event.ts';
import { fields } from './fields.ts';
import { inbound } from './inbound.ts';
import { interpret } from './interpret.ts';
import { limits } from './limits.ts';
import { lists } from './lists.ts';
import { pages } from './pages.ts';
import { lookup, probe, suppressions } from './reads.ts';

function request(batch: readonly Operation[], config: BrevoConfig): HttpRequest {
  const [operation] = batch;
  if (operation === undefined) throw new RangeError('a Brevo request carries an operation');
  if (batch.length > 1) {
    // Only events share a key.
    const events = batch.map(({ body }): Json => body);
    return {
      method: 'POST',
      url: `${config.base_url}/events/batch`,
      headers: JSON_HEADERS,
      body: renderJson({ events }),
    };
  }
  return {
    method: operation.method,
    url: config.base_url + operation.path,
    headers: JSON_HEADERS,
    body: operation.body === null ? null : renderJson(operation.body),
  };
}

/** Under which name the API of Brevo is used. */
export interface BrevoNames {
  readonly id: string;
  readonly name: string;
  readonly docsUrl: string;
  /** The environment variable that the key usually comes from. */
  readonly variable: string;
}

/** A destination that talks to Brevo's contact API (v3). README.md beside this file says what is sent when, and from which facts. */
export function brevoDestination({ id, name, docsUrl, variable }: BrevoNames): Destination<BrevoConfig> {
  return {
    id,
    name,
    docsUrl,
    config: brevoConfig(name, variable),
    capabilities: {
      contact: 'upsert',
      remove: 'hard',
      address: 'email',
      fields: true,
      lists: true,
      events: 'unkeyed',
      consent: { tell: true, read: ['contact', 'list'], webhook: 'unsigned' },
      bulk: 'job',
      idempotency: 'upsert',
      rateHeaders: ['x-sib-ratelimit-reset', 'retry-after'],
      homes: ['worker', 'edge', 'sql'],
      unverified: [
        { what: 'an empty text clears an attribute', setting: 'clear_as' },
        { what: 'an import leaves a blocked contact blocked, and stores false', setting: 'import_from' },
        { what: 'a batch takes 100, and leaves out who is not there', setting: 'update_by' },
        { what: 'folder 1 exists', setting: 'folder' },
        { what: 'a number that is blocked for SMS is not written to', setting: 'sms' },
      ],
    },
    account: ({ base_url: url }) => url,
    standIn: (url, secret) => ({ api_key: secret, base_url: url }),
    limits,
    auth: (config) => ({ header: 'api-key', value: config.api_key }),
    declare,
    encode,
    encodeEvent,
    eventLimits: EVENT_LIMITS,
    request,
    interpret,
    bulk,
    probe,
    lookup,
    fields,
    pages,
    lists,
    suppressions,
    inbound,
  };
}
