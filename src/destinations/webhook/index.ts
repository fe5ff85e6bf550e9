import type { Destination, HttpRequest, Operation } from '../../core/destination.ts';
import { renderJson } from '../../core/json.ts';
import type { Limits } from '../../core/limits.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { type WebhookConfig, webhookConfig } from './config.ts';
import { declare } from './declare.ts';
import { encode, encodeEvent } from './encode.ts';
import { interpret } from './interpret.ts';
import { secretOfToken } from './secret.ts';

function limits(config: WebhookConfig): Limits {
  return {
    buckets: [
      { name: 'messages', requests: Math.floor(config.requests_per_second * config.limits_scale), perMs: 1_000 },
    ],
    concurrency: config.concurrency,
    bytesPerRequest: config.max_bytes,
  };
}

function request(batch: readonly Operation[], config: WebhookConfig): HttpRequest {
  const [operation] = batch;
  // Operations carry no batch key, so there is exactly one.
  if (operation === undefined || batch.length > 1) throw new RangeError('a webhook carries one message');
  const headers = { ...JSON_HEADERS, 'webhook-id': operation.key ?? '' };
  const body = renderJson(operation.body);
  return { method: 'POST', url: config.url, headers, body, allowPrivate: config.allow_private };
}

/** Any receiver of Standard Webhooks 1.0.0. README.md beside this file says what it is told, and how to be one. */
export const webhook: Destination<WebhookConfig> = {
  id: 'webhook',
  name: 'Webhook',
  docsUrl: 'https://www.standardwebhooks.com',
  config: webhookConfig,
  capabilities: {
    contact: 'upsert',
    remove: 'hard',
    address: 'email',
    fields: false,
    lists: false,
    events: 'keyed',
    consent: { tell: true, read: [], webhook: 'none' },
    bulk: 'none',
    idempotency: 'key',
    rateHeaders: ['retry-after'],
    homes: ['worker', 'edge', 'sql'],
    unverified: [],
  },
  account: (config) => config.url,
  standIn: (url, secret) => ({ url, secret: secretOfToken(secret) }),
  limits,
  auth: ({ secret, previous_secret: previous }) => ({
    sign: 'standard-webhooks',
    secrets: previous === undefined ? [secret] : [secret, previous],
  }),
  declare,
  encode,
  encodeEvent,
  request,
  interpret,
  // A receiver has nothing to read, and a message that means nothing is not for it.
  probe: () => null,
};

export default webhook;
