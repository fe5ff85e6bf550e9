// A destination as somebody outside of Rollcall writes one: with nothing but zod and the types of `rollcall/testing`.
import { z } from 'zod';

const HEADERS = { accept: 'application/json', 'content-type': 'application/json' };
const NAME = 'Postbox';

const path = (address) => `/contacts/${encodeURIComponent(address).replaceAll('.', '%2E')}`;
const operation = (kind, method, address, body) => ({ kind, method, path: path(address), body, batchKey: null });
const remove = (address) => operation('delete', 'DELETE', address, null);
const same = (a, b) => a.toLowerCase() === b.toLowerCase();

function optsOut({ consent, remote }, address) {
  if (consent === 'opted_out') return true;
  if (consent === 'opted_in') return false;
  const moves = remote?.address == null || !same(remote.address, address);
  return (
    moves && (remote?.subscription === 'unsubscribed' || (consent === 'none' && remote?.subscription !== 'subscribed'))
  );
}

function encode(delivery, plan) {
  const { remote, address, action, attributes, takeover } = delivery;
  const known = [remote?.address, ...(remote?.leftovers ?? [])].filter((each) => typeof each === 'string');
  if (action === 'delete') return [...new Set(known)].map(remove);
  if (action === 'unsubscribe') {
    const [first, ...others] = known;
    if (first === undefined) return [];
    return [operation('unsubscribe', 'POST', first, { optOut: true }), ...others.map(remove)];
  }
  const cleared = takeover ? Object.fromEntries(Object.keys(plan).map((name) => [name, null])) : {};
  const body = { attributes: { ...cleared, ...attributes } };
  if (optsOut(delivery, address)) body.optOut = true;
  else if (delivery.consent === 'opted_in') body.optOut = false;
  const old = [...new Set(known)].filter((each) => !same(each, address));
  return [operation('upsert', 'PUT', address, body), ...old.map(remove)];
}

function objectIn(body) {
  try {
    const value = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function failure({ status, headers, body }) {
  if (status >= 200 && status < 300) return undefined;
  const said = objectIn(body)?.message;
  const message = (typeof said === 'string' ? said : `${NAME} answered with status ${status}.`).slice(0, 500);
  const wait = /^\d{1,9}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) * 1000 : undefined;
  const until = Date.parse(headers['retry-after'] ?? '') - Date.parse(headers['date'] ?? '');
  const retryAfterMs = wait ?? (until > 0 ? until : undefined);
  const as = (kind) => ({
    kind,
    code: `http_${status}`,
    message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  if (status < 200 || status > 599) return as('unknown');
  if (status === 429) return as('throttle');
  if ([408, 425].includes(status) || status >= 500) return as('retry');
  return [401, 402, 403, 407].includes(status) || status < 400 ? as('config') : as('reject');
}

function outcome(response, { kind }) {
  if (response.status === 404 && kind !== 'upsert') return { kind: 'delivered' };
  const failed = failure(response);
  if (failed !== undefined) return failed;
  const done = response.status === 204 ? kind !== 'upsert' : typeof objectIn(response.body)?.address === 'string';
  return done
    ? { kind: 'delivered' }
    : { kind: 'unknown', code: 'malformed_answer', message: 'It does not say what was done.' };
}

export const destination = {
  id: 'postbox',
  name: NAME,
  docsUrl: 'https://postbox.example/docs',
  config: z.strictObject({ key: z.string().min(1).meta({ secret: true }), url: z.string() }),
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
  account: ({ url }) => url,
  standIn: (url, secret) => ({ key: secret, url }),
  limits: () => ({ buckets: [{ name: 'api', requests: 100, perMs: 1_000 }], concurrency: 10 }),
  auth: ({ key }) => ({ header: 'authorization', value: `Bearer ${key}` }),
  encode,
  request: ([{ method, path: at, body }], { url }) => ({
    method,
    url: url + at,
    headers: HEADERS,
    body: body === null ? null : stringify(body),
  }),
  interpret: (response, batch) => batch.map((each) => outcome(response, each)),
  probe: ({ url }) => ({ method: 'GET', url: `${url}/me`, headers: HEADERS, body: null }),
  lookup: (remote, { url }) => ({
    request: { method: 'GET', url: url + path(remote.address ?? ''), headers: HEADERS, body: null },
    interpret(response) {
      if (response.status === 404) return { ok: true, value: null };
      const found = failure(response) === undefined ? objectIn(response.body) : undefined;
      if (typeof found?.address !== 'string')
        return { ok: false, outcome: failure(response) ?? { kind: 'retry', code: 'malformed_answer', message: '' } };
      return { ok: true, value: { ...remote, subscription: found.optOut === false ? 'subscribed' : 'unsubscribed' } };
    },
  }),
};

/** JSON text in which exact numbers (`LosslessNumber`) keep their digits. */
function stringify(value) {
  if (value?.isLosslessNumber === true) return value.toString();
  if (Array.isArray(value)) return `[${value.map(stringify).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, each]) => `${JSON.stringify(name)}:${stringify(each)}`)
    .join(',')}}`;
}
