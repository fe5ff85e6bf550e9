import {
  AS_THEY_ARE,
  type AnswerRule,
  type Declaration,
  fact,
  object,
  segment,
  type Step,
  type Template,
  type Test,
  text,
} from '../../core/declared.ts';
import { NAMES } from './attributes.ts';
import { audienceOf, type SendryConfig } from './config.ts';

const FOREIGN: AnswerRule = {
  status: [404],
  json: 'none',
  kind: 'config',
  code: 'wrong_path',
  say: 'The answer is not from Sendry’s API: check base_url.',
};
/** Where the vendor's words, its code and its complaints stand: `errors.ts`. */
const MESSAGE = [['error', 'message'], ['message'], ['error']];
const CODE = [['error', 'code'], ['code']];
const DETAILS = [['error', 'details'], ['error', 'errors'], ['details'], ['errors']];
const TELLING = {
  words: [CODE, '^(expired_key|payment_required|billing_suspended|insufficient_scope)$'],
  kind: 'config',
  codeAt: CODE,
} as const;
const PLAN_LIMIT = { of: ['reject', 'config'], kind: 'config', code: 'plan_limit' } as const;
/** Codes that say more than their status, as in failure.ts: a full plan is about the account, whatever the status but for 401. */
const OF_THE_ACCOUNT: readonly AnswerRule[] = [
  { status: [401], ...TELLING },
  { status: [401], kind: 'config', code: 'unauthorized' },
  { ...PLAN_LIMIT, words: [CODE, '^plan_limit_reached$'] },
  { ...PLAN_LIMIT, words: [MESSAGE, '\\mplan\\M[^.]*\\mlimit\\M|\\mcontacts? limit\\M'] },
  { of: ['config'], ...TELLING },
];
const TAKEN = '\\m(taken|duplicate|already (exists|in use|used))\\M';
const AUDIENCE = '\\maudience';

/** What names an audience: which one to join stands in the config. */
const unknownList = (of: Pick<AnswerRule, 'status' | 'of'>): readonly AnswerRule[] =>
  [
    { words: [MESSAGE, AUDIENCE] } as const,
    { complaints: [DETAILS, { field: AUDIENCE }] } as const,
    { complaints: [DETAILS, { field: null, words: AUDIENCE }] } as const,
  ].map((says): AnswerRule => ({ ...of, ...says, kind: 'config', code: 'unknown_list', field: 'audience_id' }));

/** @param out whether the request said that the contact must not be mailed */
function accepted(out: Test): AnswerRule[] {
  const id = [['data', 'id'], ['id']];
  const success = { of: ['delivered'], json: 'object' } as const;
  const taken = { ...success, kind: 'delivered', id, idType: 'string', needsId: true } as const;
  const say = 'Sendry accepted a contact that must not be mailed and left it subscribed.';
  const ignored = { ...success, kind: 'config', code: 'opt_out_ignored', when: out, say } as const;
  const places = [['data'], []];
  return [
    ...places.flatMap((within): AnswerRule[] => [
      { ...taken, at: [[...within, 'unsubscribed'], true] },
      { ...taken, at: [[...within, 'subscribed'], false] },
    ]),
    ...places.flatMap((within): AnswerRule[] => [
      { ...ignored, at: [[...within, 'unsubscribed'], false] },
      { ...ignored, at: [[...within, 'subscribed'], true] },
    ]),
    taken,
    { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  ];
}

const created = (out: Test): readonly AnswerRule[] => [
  FOREIGN,
  ...accepted(out),
  ...unknownList({ status: [404] }),
  { status: [404], kind: 'config', code: 'wrong_path', say: 'Sendry has no such path: check base_url.' },
  ...OF_THE_ACCOUNT,
  ...unknownList({ of: ['reject'] }),
  { status: [409], kind: 'retry', code: 'email_conflict' },
  {
    of: ['reject'],
    complaints: [DETAILS, { field: '^email$' }],
    words: [MESSAGE, TAKEN],
    kind: 'retry',
    code: 'email_conflict',
  },
  {
    of: ['reject'],
    complaints: [DETAILS, { field: '^email$' }, { words: TAKEN }],
    kind: 'retry',
    code: 'email_conflict',
  },
  {
    of: ['reject'],
    complaints: [DETAILS, { field: '^email$' }],
    kind: 'reject',
    code: 'invalid_email',
    field: 'email',
  },
  { of: ['reject'], complaints: [DETAILS, { field: '' }], kind: 'reject', code: 'invalid_field' },
];

const DELETED: readonly AnswerRule[] = [
  FOREIGN,
  { status: [404], kind: 'delivered' },
  { of: ['delivered'], json: 'object', kind: 'delivered' },
  { of: ['delivered'], body: '^\\s*$', kind: 'delivered' },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  ...OF_THE_ACCOUNT,
];

const REPEATED = '\\m(duplicate|already)\\M';
const EVENT: readonly AnswerRule[] = [
  FOREIGN,
  { of: ['delivered'], json: 'object', kind: 'delivered' },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  { status: [404], kind: 'retry', code: 'contact_missing', forgetRemote: true },
  ...OF_THE_ACCOUNT,
  { status: [409], words: [[...MESSAGE, ...CODE], REPEATED], kind: 'delivered' },
  { status: [409], complaints: [DETAILS, { words: REPEATED }], kind: 'delivered' },
  {
    of: ['reject'],
    complaints: [DETAILS, { field: '^contact_(id|email)$', words: '\\m(not found|unknown|no such|does not exist)\\M' }],
    kind: 'retry',
    code: 'contact_missing',
    forgetRemote: true,
  },
  { of: ['reject'], complaints: [DETAILS, { field: '' }], kind: 'reject', code: 'invalid_event' },
];

/** The attributes: names beside the address, all others under one key or two. */
function attributes({ attributes_as: as }: SendryConfig): readonly (readonly [string, Template, Test?])[] {
  const others: Template = { $omit: ['said', [...NAMES]] };
  return [
    // Whoever is new has nothing to be cleared.
    ['...', { $if: ['fresh', { $known: { $pick: ['said', [...NAMES]] } }, { $pick: ['said', [...NAMES]] }] }],
    ...(as === 'properties' ? [] : ([['metadata', others, 'filled']] as [string, Template, string][])),
    ...(as === 'metadata' ? [] : ([['properties', others, 'filled']] as [string, Template, string][])),
  ];
}

/**
 * Sendry for the SQL home: pg_net has neither PATCH nor PUT, so every upsert is the POST by address that the vendor's own recipe uses. A known
 * contact that moves is made anew at its new address and deleted at the old one. Where it is not certain that a POST leaves
 * `unsubscribed` alone (`upsert_keeps_unsubscribed`), whoever has the address is looked at first, and an opt-out found there is said again.
 */
export function declare(config: SendryConfig): Declaration {
  const contacts = `${config.base_url}/v1/contacts`;
  const audience = audienceOf(config);
  const joins: Test = {
    any: [{ all: [{ not: 'known_id' }, { not: 'imported_here' }] }, { all: ['met', { not: 'imported' }] }],
  };
  const out: Test = { any: ['opts_out', ...(config.upsert_keeps_unsubscribed ? [] : ['stays_out'])] };
  const create: Step = {
    kind: 'upsert',
    method: 'POST',
    url: contacts,
    body: object(
      ['email', fact('address')],
      ...attributes(config),
      ...(audience === undefined ? [] : ([['audience_id', audience, joins]] as [string, Template, Test][])),
      ['unsubscribed', true, out],
      ['unsubscribed', false, 'opts_in'],
    ),
    answers: created(out),
  };
  const remove = (by: Pick<Step, 'url' | 'when' | 'each' | 'find'>): Step => ({
    kind: 'delete',
    method: 'DELETE',
    ...by,
    answers: DELETED,
  });
  const byId = text(contacts, '/', segment('remote_id'));
  const byFound = text(contacts, '/', segment('found_id'));
  const orphans = remove({ url: byFound, each: 'orphans', find: 'each' });
  return {
    tellsOptOut: true,
    auth: { header: 'authorization', prefix: 'Bearer ', option: 'api_key' },
    probe: `${contacts}?limit=1`,
    lookup: {
      byId: text(contacts, '/', segment('id')),
      byAddress: text(`${contacts}/by-email?email=`, { $query: 'address' }),
      id: [['data', 'id'], ['id']],
      idType: 'string',
      address: [['data', 'email'], ['email']],
      mustBeAsked: true,
      unsubscribed: [
        [['data', 'unsubscribed'], true],
        [['unsubscribed'], true],
        [['data', 'subscribed'], false],
        [['subscribed'], false],
      ],
      subscribed: [
        [['data', 'unsubscribed'], false],
        [['unsubscribed'], false],
        [['data', 'subscribed'], true],
        [['subscribed'], true],
      ],
      missing: [FOREIGN, { status: [404], kind: 'delivered' }],
    },
    looksFirst: !config.upsert_keeps_unsubscribed,
    upsert: [create, remove({ url: byId, when: { all: ['left_behind', { not: 'replaced' }] } }), orphans],
    unsubscribe: [
      {
        kind: 'unsubscribe',
        method: 'POST',
        url: contacts,
        body: object(['email', fact('remote_address')], ['unsubscribed', true]),
        when: 'known_address',
        answers: created('known_address'),
      },
      orphans,
    ],
    delete: [
      remove({ url: byId, when: 'known_id' }),
      remove({ url: byFound, when: { all: ['known_address', { not: 'known_id' }] }, find: 'remote_address' }),
      orphans,
    ],
    event: {
      kind: 'event',
      method: 'POST',
      url: `${config.base_url}/v1/events`,
      body: object(
        ['name', fact('event')],
        ['event_id', fact('event_id')],
        ['contact_id', fact('to_id'), 'to_known_id'],
        ['contact_email', fact('to_address'), { not: 'to_known_id' }],
        ['payload', fact('properties')],
      ),
      answers: EVENT,
    },
    bulk:
      config.upsert_keeps_unsubscribed && config.import_from !== 'off' && config.bulk === 'import'
        ? {
            most: 1_000,
            mostBytes: 5_000_000,
            least: config.import_from ?? Math.max(50, config.requests_per_second * 15),
            consents: ['basis'],
            // pg_net rests for a second between two batches, so that a few go in one.
            atOnce: 3,
            row: object(['email', fact('address')], ...attributes(config)),
            url: `${contacts}/import`,
            body: object(
              ['contacts', fact('rows')],
              ...(audience === undefined ? [] : ([['audience_id', audience, 'joins']] as [string, Template, string][])),
            ),
            answers: [
              FOREIGN,
              ...unknownList({ status: [404] }),
              {
                status: [404],
                kind: 'config',
                code: 'wrong_path',
                say: 'Sendry has no such path: check base_url and bulk.',
              },
              { of: ['delivered'], json: 'object', when: 'all_taken', kind: 'delivered' },
              { of: ['delivered'], json: 'object', kind: 'reject', code: 'rows_skipped' },
              { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
              ...OF_THE_ACCOUNT,
              ...unknownList({ of: ['reject'] }),
            ],
          }
        : undefined,
    pull: [
      {
        url: {
          $if: [
            'after',
            text(`${config.base_url}/v1/suppression?limit=100&cursor=`, { $query: 'after' }),
            `${config.base_url}/v1/suppression?limit=100`,
          ],
        },
        rows: ['data'],
        address: ['email'],
        at: ['created_at'],
        reason: ['reason'],
        reasons: { hard_bounce: 'bounce', bounce: 'bounce', complaint: 'complaint', unsubscribe: 'unsubscribe' },
        otherwise: 'manual',
        next: { answer: ['next_cursor'], unless: [['has_more'], false] },
      },
      {
        url: {
          $if: [
            'after',
            text(`${config.base_url}/v1/unsubscribes?limit=100&cursor=`, { $query: 'after' }),
            `${config.base_url}/v1/unsubscribes?limit=100`,
          ],
        },
        rows: ['data'],
        address: ['email'],
        at: ['created_at'],
        reasons: {},
        otherwise: 'unsubscribe',
        // Somebody who left one list we do not write to has not left.
        only: [['list_id'], [null, ...(audience === undefined ? [] : [audience])]],
        next: { answer: ['next_cursor'], unless: [['has_more'], false] },
        optional: true,
      },
    ],
    attributes: { ...AS_THEY_ARE, named: Object.fromEntries(NAMES.map((name) => [name, 'text'] as const)) },
  };
}
