import { readdirSync, readFileSync } from 'node:fs';
import type { BulkStart } from '../../../src/core/bulk.ts';
import type { Delivery, Destination, HttpResponse, Operation } from '../../../src/core/destination.ts';
import { type Json, type JsonObject, parseJson, renderJson } from '../../../src/core/json.ts';
import type { Outcome } from '../../../src/core/outcome.ts';

/** One thing that both homes send, with what each reads its answer by. */
export interface Sent {
  readonly what: string;
  /** Where it stands in the declaration. */
  readonly step: readonly string[];
  readonly facts: JsonObject;
  readonly read: (response: HttpResponse) => Outcome;
}

const DELIVERY: Delivery = {
  contactId: '7',
  version: '3',
  action: 'upsert',
  address: 'ann@example.com',
  remote: null,
  attributes: {},
  takeover: false,
  consent: 'basis',
  origin: { id: 'x-1', epoch: 1 },
};
const KNOWN = { id: '42', address: 'ann@example.com' };
const EVENT = { id: '6f1c1f0e-0000-4000-8000-000000000001', name: 'paid', at: '2026-01-02T03:04:05Z', properties: {} };
const ROWS: readonly JsonObject[] = [{ email: 'ann@example.com' }];

/** Somebody who is to be deleted. */
export const GONE: Delivery = { ...DELIVERY, action: 'delete', address: null, remote: KNOWN };

/** What became of one row of a request for many: the same as if it had been sent by itself. */
function startOf(start: BulkStart): Outcome {
  if (start.kind === 'started') return { kind: 'delivered', remoteId: start.id };
  if (start.kind === 'failed') return start.outcome;
  return start.rows.get(0) ?? (start.kind === 'answered' ? start.outcome : { kind: 'delivered' });
}

/** All that the database sends to a destination. */
export function sentTo(destination: Destination<unknown>, config: unknown): readonly Sent[] {
  const { id, bulk } = destination;
  const one = (operation: Operation): Sent['read'] => {
    return (response) => destination.interpret(response, [operation])[0]!;
  };
  const first = (more: Partial<Delivery>): Sent['read'] =>
    one(destination.encode({ ...DELIVERY, ...more }, {}, config)[0]!);
  const event = destination.encodeEvent!(EVENT, KNOWN, config);
  const deletion = { what: 'delete', step: ['delete', '0'], facts: { known_id: true }, read: first(GONE) };
  const told = { what: 'event', step: ['event'], facts: { to_known_id: true }, read: one(event) };
  const rest: Sent[] = [deletion, told];
  const facts: JsonObject = { address: 'ann@example.com', contacts: 1, opts_out: false };
  if (bulk !== undefined) {
    rest.push({
      what: 'many',
      step: ['bulk'],
      facts,
      read: (response) => startOf(bulk.started(response, ROWS)),
    });
  }
  if (id === 'mailtrap') {
    return [...rest, { what: 'upsert', step: ['upsert', '1'], facts, read: rest.at(-1)!.read }];
  }
  if (id === 'webhook') {
    const ours = { known_id: true, remote_id: '42' };
    const left = first({ action: 'unsubscribe', address: null, remote: KNOWN });
    return [
      ...rest,
      { what: 'upsert', step: ['upsert', '0'], facts: ours, read: first({ remote: KNOWN }) },
      { what: 'unsubscribe', step: ['unsubscribe', '0'], facts: ours, read: left },
    ];
  }
  const leaving = destination.encode({ ...DELIVERY, lists: { in: [], join: [], leave: ['8'] } }, {}, config)[1];
  if (id === 'brevo' && leaving !== undefined) {
    rest.push({ what: 'a list left', step: ['upsert', '1'], facts, read: one(leaving) });
  }
  const out = { ...facts, opts_out: true, known_address: true };
  // The worker says it by PATCH or PUT of whom it knows; by POST it is what it says of whom it does not.
  const [post] = destination.encode({ ...DELIVERY, consent: 'opted_out' }, {}, config);
  const body = Object.fromEntries(
    Object.entries(post?.body ?? {}).filter(([name]) => name !== 'listIds' && name !== 'audience_id'),
  );
  return [
    ...rest,
    { what: 'upsert', step: ['upsert', '0'], facts, read: first({}) },
    { what: 'upsert of who left', step: ['upsert', '0'], facts: out, read: first({ consent: 'opted_out' }) },
    { what: 'unsubscribe', step: ['unsubscribe', '0'], facts: out, read: one({ ...post!, kind: 'unsubscribe', body }) },
  ];
}

const STATUSES = [
  200, 201, 202, 204, 207, 302, 400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 422, 425, 429, 500, 502, 503,
];

const ANY: readonly Json[] = [
  null,
  ' \n',
  '<html><body>Bad gateway: no contact limit, email already exists</body></html>',
  'null',
  '"text"',
  '12',
  [],
  {},
  ['contact limit reached'],
  { id: 42 },
  { id: 'ct_1' },
  { id: '' },
  { data: null },
  { data: [] },
  { data: { id: 'ct_1', email: 'ann@example.com' } },
  { error: 'Not Found' },
  { errors: 'Rate limit exceeded' },
  { message: 'try again' },
  { error: null, errors: null, message: null, details: null, code: null },
];

const SENDRY = [
  ['validation_error', 'Invalid request body', { email: ['must be a valid email'] }],
  ['validation_error', 'Validation failed', [{ path: ['metadata', 'PLAN'], message: 'is too long' }]],
  ['validation_error', 'Validation failed', [{ field: 'email', message: 'has already been taken' }]],
  ['validation_error', 'Validation failed', [{ path: '/email', message: 'is invalid' }]],
  ['validation_error', 'Validation failed', { contact_id: 'not found' }],
  ['validation_error', 'Validation failed', { contact_email: ['does not exist'], name: 'is too long' }],
  ['validation_error', 'Validation failed', ['something is wrong']],
  ['validation_error', 'Validation failed', { audience_id: ['is unknown'] }],
  ['validation_error', 'The audience is unknown', null],
  ['validation_error', 'Validation failed', 'email is bad'],
  ['conflict', 'A contact with this email already exists', null],
  ['duplicate', 'This event is a duplicate', {}],
  ['not_found', 'Contact not found', {}],
  ['not_found', 'Audience not found', {}],
  ['not_found', 'Route not found', null],
  ['plan_limit_reached', 'Upgrade', null],
  ['forbidden', 'Contact limit reached', null],
  ['forbidden', 'Your plan has a limit of 500 contacts', null],
  ['forbidden', 'Your plan is fine. There is no limit', null],
  ['expired_key', 'The API key has expired', {}],
  ['payment_required', 'Pay', {}],
  ['billing_suspended', 'Account suspended', {}],
  ['insufficient_scope', "This API key requires 'full_access' scope or higher.", {}],
  ['rate_limited', 'Too many requests', {}],
].map(([code, message, details], n): Json => {
  const own = { code: code!, message: message!, details: details! } as JsonObject;
  return n % 2 === 0 ? { statusCode: 400, ...own } : { error: own };
});

const SENDRY_MADE: readonly Json[] = [
  { id: 'ct_1', unsubscribed: false },
  { id: 'ct_1', unsubscribed: true },
  { id: 'ct_1', subscribed: true },
  { id: 'ct_1', subscribed: false },
  { id: 'ct_1', subscribed: false, unsubscribed: false },
  { unsubscribed: false },
  { data: { id: 'ct_1', unsubscribed: false } },
  { data: { id: 'ct_1', subscribed: true } },
  { deleted: true },
  { deduped: true },
  { created: 1, updated: 0, total: 1 },
  { imported: 1, skipped: 0, errors: [] },
  { imported: 0, skipped: 1, errors: [] },
  { imported: 0, skipped: 1, errors: [{ email: 'ann@example.com', message: 'is bad' }] },
  { data: { created: 0, updated: 1 } },
];

const BREVO: readonly Json[] = [
  ...[
    ['document_not_found', 'Contact does not exist'],
    ['document_not_found', 'List ID does not exist'],
    ['invalid_parameter', 'List is not valid'],
    ['invalid_parameter', 'Invalid lists: 7'],
    ['invalid_parameter', 'Invalid phone number'],
    ['invalid_parameter', 'Invalid email address'],
    ['invalid_parameter', 'email is not valid in payload'],
    ['missing_parameter', 'name is missing'],
    ['duplicate_parameter', 'Unable to create contact, email is already associated with another Contact'],
    ['duplicate_parameter', 'Unable to create contact, SMS is already associated with another Contact'],
    ['duplicate_parameter', 'Contact already exist'],
    ['duplicate_parameter', 'Conflict'],
    ['permission_denied', 'No'],
    ['not_enough_credits', 'No credits'],
    ['account_under_validation', 'Wait'],
    ['unauthorized', 'Key not found'],
    ['account_in_process', 'Account is being set up'],
    ['method_not_allowed', 'Contact limit of your plan is reached'],
    ['too_many_requests', 'slow down'],
    ['api-key not found', ''],
  ].map(([code, message]): Json => ({ code: code!, message: message! })),
  ...[['SMS'], ['email'], ['SMS', 'email'], []].map((names): Json => ({
    code: 'duplicate_parameter',
    message: 'x',
    metadata: { duplicate_identifiers: names },
  })),
  { errors: [{ eventIndex: [0], message: 'event_name is not known' }] },
];

const BREVO_MADE: readonly Json[] = [
  { processId: 78 },
  { processId: '78' },
  { message: 'ok' },
  { errors: [{ eventIndex: [0], message: 'event_name is not known' }] },
  { errors: [{ message: 'event_name is not known' }] },
  { status: 'partial_success', errors: [] },
];

const MAILTRAP = [
  { fields: ['contains invalid values: NICK'] },
  { email: [['has already been taken']] },
  { email: ['is invalid'] },
  { params: [["value for 'note' is too long"]] },
  { name: ["key 'x' is too long"] },
  { name: ['is too long'] },
  { base: ['contacts limit reached'] },
  { base: ['cannot import more than 50000 contacts at once'] },
  { list_ids_included: ['unknown'] },
  'Contacts limit has been exceeded',
  [['limit was reached']],
].flatMap((errors): Json[] => [
  { errors },
  { error: errors },
  { errors: [{ email: 'ann@example.com', errors }] },
  { errors: [{ email: 'somebody@else.org', errors }] },
]);

const MAILTRAP_MADE: readonly Json[] = [
  { id: 9, status: 'created' },
  { action: 'created', data: { id: '8f1c', email: 'ann@example.com' } },
];

const MADE: Readonly<Record<string, readonly Json[]>> = {
  sendry: SENDRY_MADE,
  brevo: BREVO_MADE,
  mailtrap: MAILTRAP_MADE,
};
const REFUSED: Readonly<Record<string, readonly Json[]>> = {
  sendry: SENDRY,
  brevo: BREVO,
  mailtrap: MAILTRAP,
  webhook: [{ error: 'no' }, { error: { message: 'no' } }],
};

/** Refusals that a destination gives reasons with; all others come with some of them. */
const WITH_REASONS: readonly number[] = [400, 403, 404, 409, 422];

/** Answers of all statuses with the bodies that a destination, or something before it, could give with them. */
export function answersOf(id: string): readonly HttpResponse[] {
  return STATUSES.flatMap((status) => {
    const own = (status < 300 ? MADE : REFUSED)[id] ?? [];
    const some = status < 300 || WITH_REASONS.includes(status) ? own : own.filter((_, n) => n % 4 === status % 4);
    return [...ANY, ...some].map((body) => ({ status, headers: {}, body: textOf(body) }));
  });
}

export function textOf(body: Json): string {
  return body === null ? '' : typeof body === 'string' ? body : renderJson(body);
}

/** A golden case of a destination, as far as its answers go. */
export interface Golden {
  readonly name: string;
  readonly config: JsonObject;
  /** Those of a webhook have only a body. */
  readonly requests: readonly { readonly method?: string; readonly url?: string; readonly body: Json }[];
  readonly responses: readonly {
    readonly status: number;
    readonly headers?: Record<string, string>;
    readonly body: Json;
  }[];
  readonly outcomes: readonly Outcome[];
}

/** The golden cases of a destination whose requests are answered. */
export function goldenOf(id: string): readonly Golden[] {
  const folder = new URL(`../../../src/destinations/${id}/fixtures/`, import.meta.url);
  return readdirSync(folder)
    .filter((file) => !/^(?:export|suppressions)-/.test(file))
    .map((file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as Golden);
}

/** Answers to a question whether somebody is there. */
export const LOOKED_UP: readonly Json[] = [
  ...ANY,
  ...['ann@example.com', 'ANN@example.com', 'bob@example.com'].flatMap((email): Json[] => [
    { id: 'ct_1', email, unsubscribed: false },
    { data: { id: 'ct_1', email, unsubscribed: true } },
    { data: { id: 'ct_1', email, subscribed: true, unsubscribed: true } },
    { id: 'ct_1', email, subscribed: false },
    { id: 'ct_1', email },
    { id: 42, email, emailBlacklisted: true },
    { id: 42, email, emailBlacklisted: false },
    { id: 42, email, emailBlacklisted: 'no' },
    { data: { id: '8f1c', email, status: 'subscribed' } },
    { data: { id: '8f1c', email, status: 'unsubscribed' } },
    { data: { id: '8f1c', email, status: 'pending' } },
  ]),
];

/** Answers to a question how far an import has come. */
export const PROGRESS: readonly Json[] = [
  ...ANY,
  ...['created', 'started', 'finished', 'failed', 'queued', 'in_process', 'completed', 'cancelled', 7].flatMap(
    (status): Json[] => [
      { id: 9, status },
      { data: { id: 9, status } },
      { id: 9, status, contacts_over_limit_count: 0 },
      { id: 9, status, contacts_over_limit_count: 30 },
      { id: 9, info: { import: { invalid_emails: null, duplicate_contact_id: '' } }, status },
      { id: 9, info: { import: { invalid_emails: 'https://x.y/f.csv' } }, status },
      { id: 9, status, info: { import: { invalid_emails: '', duplicate_contact_id: 'https://x.y/f.csv' } } },
    ],
  ),
];

/** What answers ask us to wait by, and what they do not. */
export const WAITS: readonly Readonly<Record<string, string>>[] = [
  {},
  ...[
    '0',
    '3',
    '2.0001',
    ' 7 ',
    '-1',
    '',
    'soon',
    '99999999999',
    'Sun, 06 Nov 1994 08:50:07 GMT',
    'Sunday, 06-Nov-94 08:50:07 GMT',
    'Sun Nov  6 08:50:07 1994',
    'Sun, 06 Foo 1994 08:50:07 GMT',
    'Sun, 06 Nov 1994 25:50:07 GMT',
    '1994-11-06T08:50:07Z',
  ].flatMap((after) => [
    { 'retry-after': after },
    { 'retry-after': after, date: 'Sun, 06 Nov 1994 08:49:37 GMT' },
    { 'retry-after': after, date: 'Sunday, 06-Nov-94 08:51:00 GMT' },
  ]),
  { 'x-sib-ratelimit-reset': '5' },
  { 'x-sib-ratelimit-reset': '1,1800', 'x-sib-ratelimit-remaining': '5,0' },
  { 'x-sib-ratelimit-reset': '1,1800', 'x-sib-ratelimit-remaining': '0,7' },
  { 'x-sib-ratelimit-reset': '1, 1800', 'x-sib-ratelimit-remaining': '0' },
  { 'x-sib-ratelimit-reset': 'x, 3' },
  { 'x-sib-ratelimit-reset': '0', 'x-sib-ratelimit-remaining': '0' },
  { 'x-sib-ratelimit-reset': '9', 'retry-after': '20' },
  { 'x-sib-ratelimit-reset': '30', 'retry-after': '20' },
];
