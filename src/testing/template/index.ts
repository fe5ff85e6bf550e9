import type { Destination, HttpRequest, Operation } from '../../core/destination.ts';
import { renderJson } from '../../core/json.ts';
import type { Limits } from '../../core/limits.ts';
import { JSON_HEADERS } from '../../core/wire.ts';
import { type Options, options } from './config.ts';
import { encode } from './encode.ts';
import { interpret } from './interpret.ts';
import { lookup, probe } from './reads.ts';

// To write: the vendor's published limits, with their source in README.md.
function limits(config: Options): Limits {
  return {
    buckets: [{ name: 'api', requests: Math.floor(10 * config.limits_scale), perMs: 1_000 }],
    concurrency: config.concurrency,
  };
}

function request(batch: readonly Operation[], config: Options): HttpRequest {
  const [operation] = batch;
  // Operations carry no batch key, so there is exactly one.
  if (operation === undefined || batch.length > 1) throw new RangeError('a request to Acme carries one operation');
  return {
    method: operation.method,
    url: config.base_url + operation.path,
    headers: JSON_HEADERS,
    body: operation.body === null ? null : renderJson(operation.body),
  };
}

/** Acme. README.md beside this file says what is sent when, and from which facts. */
const destination: Destination<Options> = {
  id: 'acme',
  name: 'Acme',
  docsUrl: 'https://acme.example/docs',
  // Take it out when conformance passes: it is then listed in docs/ and offered by `rollcall init`.
  draft: true,
  config: options,
  // To write: what the vendor really can. Each thing that is named here has its cases in the conformance suite.
  capabilities: {
    contact: 'upsert',
    remove: 'hard',
    address: 'email',
    fields: false,
    lists: false,
    events: 'none',
    consent: { tell: true, read: ['contact'], webhook: 'none' },
    bulk: 'none',
    idempotency: 'upsert',
    rateHeaders: ['retry-after'],
    homes: ['worker'],
    unverified: [],
  },
  account: (config) => config.base_url,
  standIn: (url, secret) => ({ api_key: secret, base_url: url }),
  limits,
  auth: (config) => ({ header: 'authorization', value: `Bearer ${config.api_key}` }),
  encode,
  request,
  interpret,
  probe,
  lookup,
};

export default destination;
