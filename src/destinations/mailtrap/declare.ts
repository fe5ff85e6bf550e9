import {
  type AnswerRule,
  type Declaration,
  declaredLists,
  fact,
  object,
  type RefusedRows,
  segment,
  type Step,
  type Test,
  text,
  type Watch,
} from '../../core/declared.ts';
import type { MailtrapConfig } from './config.ts';
import { listIds } from './encode.ts';
import { contactsPath, suppressionsPath } from './paths.ts';

/** Where complaints stand: `errors.ts`. */
const ERRORS = [['errors'], ['error']];
/** Of an import. */
const STATUS = [['data', 'status'], ['status']];
const PLAN_LIMIT: Pick<AnswerRule, 'complaints' | 'kind' | 'code'> = {
  complaints: [ERRORS, { field: null, words: '\\mlimit (has been |was |is )?(reached|exceeded)\\M' }],
  kind: 'config',
  code: 'plan_limit',
};
const REFUSED = { of: ['reject'] } as const;
const FOREIGN: AnswerRule = {
  status: [404],
  json: 'none',
  kind: 'config',
  code: 'wrong_path',
  say: 'The answer is not from Mailtrap’s API: check base_url.',
};

/** What an import is answered with: 201 with its id, or what is wrong with which rows. */
const IMPORTED: readonly AnswerRule[] = [
  { of: ['delivered'], json: 'object', kind: 'delivered', id: [['id']], needsId: true },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  {
    status: [404],
    kind: 'config',
    code: 'wrong_path',
    say: 'Mailtrap has no such path: check base_url and account_id.',
  },
  { ...REFUSED, ...PLAN_LIMIT },
  // Which lists to join stands in the config, not in the record.
  {
    ...REFUSED,
    complaints: [ERRORS, { field: '^list_ids?_(included|excluded)$' }],
    kind: 'config',
    code: 'unknown_list',
  },
];

/** As `refused` in interpret.ts says of each. */
const ROWS: RefusedRows = {
  path: ['errors'],
  address: 'email',
  errors: 'errors',
  answers: [
    {
      complaints: [ERRORS, { field: '^email$', words: '\\m(taken|already (exists|in use|used))\\M' }],
      kind: 'retry',
      code: 'email_conflict',
    },
    {
      complaints: [ERRORS, { field: '^fields$', words: 'contains invalid values?:?' }],
      kind: 'reject',
      code: 'unknown_field',
      field: 'fields',
      say: 'Mailtrap does not know a field; run `rollcall apply` to create it.',
    },
    { complaints: [ERRORS, { field: '^email$' }], kind: 'reject', code: 'invalid_email', field: 'email' },
    { complaints: [ERRORS, { field: '' }], kind: 'reject', code: 'invalid_field' },
  ],
};

const DELETED: readonly AnswerRule[] = [
  FOREIGN,
  { status: [404], kind: 'delivered' },
  { of: ['delivered'], json: 'none', kind: 'unknown', code: 'malformed_answer' },
  { of: ['delivered'], kind: 'delivered' },
];

const EVENT: readonly AnswerRule[] = [
  FOREIGN,
  { status: [201], kind: 'delivered' },
  { of: ['delivered'], json: 'object', kind: 'delivered' },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  { status: [404], kind: 'retry', code: 'contact_missing', forgetRemote: true },
  { ...REFUSED, ...PLAN_LIMIT },
  { status: [403], ...PLAN_LIMIT },
  {
    ...REFUSED,
    complaints: [ERRORS, { words: "\\m(key|value for) '.*' " }],
    kind: 'reject',
    code: 'invalid_property',
  },
  { ...REFUSED, complaints: [ERRORS, { field: '' }], kind: 'reject', code: 'invalid_event' },
];

/**
 * Mailtrap for the SQL home: pg_net has no PATCH, so that contacts go by imports, of one or of many. An import has no place for an opt-out nor
 * for an opt-in. So whoever must not be mailed is not created, and is deleted where they stand; and whoever said yes again after a no is a dead
 * letter, as nothing that can be sent would subscribe them.
 */
export function declare(config: MailtrapConfig): Declaration {
  const contacts = config.base_url + contactsPath(config);
  const lists = listIds(config);
  const row = object(
    ['email', fact('address')],
    ['fields', fact('said'), 'filled'],
    ['list_ids_included', fact('joined'), 'filled'],
    ['list_ids_excluded', fact('left_lists'), 'filled'],
  );
  const watch: Watch = {
    url: text(`${contacts}/imports/`, segment('work')),
    firstMs: 1_000,
    mostMs: 10_000,
    answers: [
      { status: [404], kind: 'unknown', code: 'import_lost' },
      { of: ['delivered'], words: [STATUS, '^failed$'], kind: 'unknown', code: 'import_failed' },
      {
        of: ['delivered'],
        words: [STATUS, '^finished$'],
        body: '"contacts_over_limit_count"\\s*:\\s*[1-9]',
        kind: 'config',
        code: 'plan_limit',
        say: 'Mailtrap had no room for all contacts of an import.',
      },
      { of: ['delivered'], words: [STATUS, '^finished$'], kind: 'delivered' },
      { of: ['delivered'], kind: 'retry', code: 'at_work' },
    ],
  };
  const remove = (by: Pick<Step, 'when' | 'each'>, id: string): Step => ({
    kind: 'delete',
    method: 'DELETE',
    url: text(contacts, '/', segment(id)),
    ...by,
    answers: DELETED,
  });
  const orphans = remove({ each: 'orphans' }, 'each');
  const byAddress: Test = { all: ['known_address', { not: 'known_id' }] };
  const gone: readonly Step[] = [
    remove({ when: 'known_id' }, 'remote_id'),
    remove({ when: byAddress }, 'remote_address'),
  ];
  return {
    tellsOptOut: false,
    lists: declaredLists(config, lists),
    auth: { header: 'authorization', prefix: 'Bearer ', option: 'api_token' },
    probe: `${contacts}/lists`,
    lookup: {
      byId: text(contacts, '/', segment('id')),
      byAddress: text(contacts, '/', segment('address')),
      id: [['data', 'id']],
      address: [['data', 'email']],
      unsubscribed: [],
      subscribed: [[['data', 'status'], 'subscribed']],
      missing: [{ status: [404], kind: 'delivered' }],
    },
    upsert: [
      {
        kind: 'upsert',
        method: 'POST',
        url: contacts,
        when: 'opts_in',
        answers: [],
        refuse: {
          code: 'cannot_opt_in',
          message:
            'An import, the one way to write to Mailtrap from SQL, subscribes nobody who had left: the worker or the Edge Function can.',
        },
      },
      {
        kind: 'upsert',
        traffic: 'bulk',
        method: 'POST',
        url: `${contacts}/imports`,
        body: object(['contacts', [row]]),
        when: { not: 'opts_out' },
        answers: IMPORTED,
        refusedRows: ROWS,
        watch,
      },
      remove({ when: { all: ['opts_out', 'known_id'] } }, 'remote_id'),
      remove({ when: { all: ['opts_out', byAddress, { not: 'moves' }] } }, 'remote_address'),
      remove({ when: { all: ['left_behind', { not: 'opts_out' }] } }, 'remote_id'),
      orphans,
    ],
    unsubscribe: [...gone, orphans],
    delete: [...gone, orphans],
    event: {
      kind: 'event',
      method: 'POST',
      url: text(contacts, '/', { $if: ['to_known_id', segment('to_id'), segment('to_address')] }, '/events'),
      body: object(['name', fact('event')], ['params', { $flat: 'properties' }]),
      answers: EVENT,
    },
    bulk: {
      most: 10_000,
      mostBytes: 10_000_000,
      // There is no other way.
      least: 1,
      consents: ['basis'],
      atOnce: 1,
      row,
      url: `${contacts}/imports`,
      body: object(['contacts', fact('rows')]),
      answers: IMPORTED,
      refusedRows: ROWS,
      watch,
    },
    pull: [
      {
        url: {
          $if: [
            'after',
            text(`${config.base_url}${suppressionsPath(config)}?last_id=`, { $query: 'after' }),
            config.base_url + suppressionsPath(config),
          ],
        },
        rows: [],
        address: ['email'],
        at: ['created_at'],
        reason: ['type'],
        reasons: {
          unsubscription: 'unsubscribe',
          'spam complaint': 'complaint',
          'hard bounce': 'bounce',
          'manual import': 'manual',
        },
        otherwise: 'manual',
        next: { lastRow: ['id'] },
      },
    ],
    attributes: {
      by: {
        text: 'text',
        integer: 'same',
        float: 'same',
        boolean: 'same',
        date: 'day',
        timestamp: 'day',
        json: 'same',
        unknown: 'same',
      },
      nestedAsText: true,
      cleared: config.clear_as === null ? null : '',
      upperCase: false,
      named: {},
      leftOut: [],
    },
  };
}
