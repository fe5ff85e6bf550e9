import {
  type AnswerRule,
  type Declaration,
  declaredLists,
  fact,
  object,
  segment,
  type Step,
  type Template,
  type Test,
  text,
} from '../../core/declared.ts';
import type { BrevoConfig } from './config.ts';
import { listIds } from './encode.ts';
import { EVENT_LIMITS } from './encode-event.ts';
import { worthAnImport } from './limits.ts';
import { LISTS } from './paths.ts';
import { PHONES } from './phone.ts';
import { ADDRESS } from './values.ts';

const MESSAGE = [['message']];
const CODE = [['code']];
const STATUS = [['status']];
/** Codes that speak of the account, and one that asks for patience, as in failure.ts. */
const OF_THE_ACCOUNT: readonly AnswerRule[] = [
  {
    of: ['reject'],
    words: [CODE, '^(permission_denied|not_enough_credits|account_under_validation|unauthorized)$'],
    kind: 'config',
    codeAt: CODE,
  },
  { of: ['reject'], words: [CODE, '^account_in_process$'], kind: 'retry', code: 'account_in_process' },
];
const ALREADY = '\\malready (associated|exists?|in use|taken)\\M';
/** The first word that names what somebody else has is not the address. */
const OTHER = '^((?!\\memail\\M).)*\\m(sms|whatsapp|landline([ _]number)?|ext_id)\\M';
const REFUSED = { of: ['reject'] } as const;
const CONFLICT = { ...REFUSED, kind: 'retry', code: 'email_conflict' } as const;
const DUPLICATE = {
  ...REFUSED,
  kind: 'reject',
  code: 'duplicate_value',
  say: 'Another contact at Brevo has the same value: correct one of them.',
} as const;
const WRONG_PATH: AnswerRule = {
  status: [404],
  kind: 'config',
  code: 'wrong_path',
  say: 'Brevo has no such path: check base_url.',
};

/** @param lists whether the request names lists */
function created(lists: boolean): readonly AnswerRule[] {
  const config: readonly AnswerRule[] = [
    {
      ...REFUSED,
      words: [MESSAGE, '\\m(contacts?|plan)\\M.*\\mlimit\\M.*\\m(reached|exceeded)\\M'],
      kind: 'config',
      code: 'plan_limit',
    },
    ...(lists ? ['\\mlists?\\M.*\\m(not|invalid)\\M', '\\minvalid\\M.*\\mlists?\\M'] : []).map((says): AnswerRule => ({
      ...REFUSED,
      words: [MESSAGE, says],
      kind: 'config',
      code: 'unknown_list',
      field: 'listIds',
    })),
  ];
  return [
    { status: [204], kind: 'delivered' },
    { status: [201], json: 'object', kind: 'delivered', id: [['id']], idType: 'number', needsId: true },
    { of: ['delivered'], json: 'object', kind: 'delivered', id: [['id']], idType: 'number' },
    { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
    ...OF_THE_ACCOUNT,
    // An unknown list may be a 404 too.
    ...config.map((rule): AnswerRule => ({ ...rule, status: [404] })),
    WRONG_PATH,
    { ...CONFLICT, body: '"duplicate_identifiers"\\s*:\\s*\\[[^\\]]*"email"' },
    { ...DUPLICATE, body: '"duplicate_identifiers"\\s*:\\s*\\[\\s*"' },
    { ...DUPLICATE, words: [MESSAGE, ALREADY, OTHER] },
    { ...CONFLICT, words: [MESSAGE, ALREADY] },
    { ...CONFLICT, words: [CODE, '^duplicate_parameter$'] },
    ...config,
    { ...REFUSED, words: [MESSAGE, '\\m(phone|sms)\\M'], kind: 'reject', code: 'invalid_value', field: 'SMS' },
    { ...REFUSED, words: [MESSAGE, '\\memail\\M'], kind: 'reject', code: 'invalid_email', field: 'email' },
    { ...REFUSED, kind: 'reject', codeAt: CODE },
  ];
}

const DELETED: readonly AnswerRule[] = [
  { status: [204], kind: 'delivered' },
  { of: ['delivered'], json: 'object', kind: 'delivered' },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  ...OF_THE_ACCOUNT,
  { ...WRONG_PATH, json: 'none' },
  { status: [404], kind: 'delivered' },
];

/** A contact was taken out of a list, or was on it no more: `listLeft` in interpret.ts. */
const LEFT: readonly AnswerRule[] = [
  { of: ['delivered'], kind: 'delivered' },
  ...OF_THE_ACCOUNT,
  { status: [404], kind: 'config', code: 'unknown_list', field: 'listIds' },
  {
    ...REFUSED,
    words: [MESSAGE, '\\malready\\M.*\\mlist\\M|\\mnot in (the )?list\\M|\\mdoes not exist\\M'],
    kind: 'delivered',
  },
];

const EVENT: readonly AnswerRule[] = [
  { status: [202, 204], kind: 'delivered' },
  // One event of one, wherever it is named.
  { status: [207], body: '"eventIndex"\\s*:\\s*(\\[\\s*)?0', kind: 'reject', code: 'invalid_event' },
  { status: [207], kind: 'unknown', code: 'malformed_answer' },
  { of: ['delivered'], json: 'object', kind: 'delivered' },
  { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
  ...OF_THE_ACCOUNT,
  WRONG_PATH,
  { ...REFUSED, kind: 'reject', code: 'invalid_event' },
];

/**
 * Brevo for the SQL home: pg_net has no PUT, so that every upsert is the POST with `updateEnabled`. A known contact that moves is made
 * anew at its new address and deleted at the old one; an opt-out of whoever is no contact any more goes to who is still there.
 */
export function declare(config: BrevoConfig): Declaration {
  const contacts = `${config.base_url}/contacts`;
  const lists = listIds(config.lists);
  const named = (by: 'contact_id' | 'email_id', value: string): Template =>
    text(contacts, '/', segment(value), `?identifierType=${by}`);
  const remove = (url: Template, when: Pick<Step, 'when' | 'each'>): Step => ({
    kind: 'delete',
    method: 'DELETE',
    url,
    ...when,
    answers: DELETED,
  });
  const sms = (phones: string): readonly (readonly [string, Template, Test])[] =>
    config.sms === 'on' ? [['smsBlacklisted', true, { all: [phones, { any: ['opts_out', 'unsubscribes'] }] }]] : [];
  const imported = lists.length > 0 ? lists : config.import_list === undefined ? [] : listIds([config.import_list]);
  // A POST of a contact has no place for it.
  const left: Step = {
    kind: 'unsubscribe',
    method: 'POST',
    url: text(`${config.base_url}${LISTS}/`, segment('each'), '/contacts/remove'),
    body: object(['emails', [fact('address')]]),
    each: 'left_lists',
    answers: LEFT,
  };
  const orphans = remove(named('email_id', 'each'), { each: 'orphans' });
  return {
    tellsOptOut: true,
    lists: declaredLists(config, lists),
    auth: { header: 'api-key', prefix: '', option: 'api_key' },
    probe: `${contacts}/attributes`,
    lookup: {
      byId: named('contact_id', 'id'),
      byAddress: named('email_id', 'address'),
      id: [['id']],
      address: [['email']],
      unsubscribed: [[['emailBlacklisted'], true]],
      subscribed: [[['emailBlacklisted'], false]],
      mustSay: true,
      missing: [{ status: [404], json: 'object', kind: 'delivered' }],
    },
    upsert: [
      {
        kind: 'upsert',
        method: 'POST',
        url: contacts,
        body: object(
          ['email', fact('address')],
          ['updateEnabled', true],
          ['attributes', fact('said'), 'filled'],
          ['listIds', fact('joined'), 'filled'],
          ['emailBlacklisted', true, 'opts_out'],
          ...sms('says_named'),
          ['emailBlacklisted', false, 'opts_in'],
        ),
        answers: created(lists.length + Object.keys(config.segment_lists ?? {}).length > 0),
      },
      ...(config.segment_lists === undefined ? [] : [left]),
      remove(named('contact_id', 'remote_id'), { when: { all: ['left_behind', { not: 'replaced' }] } }),
      orphans,
    ],
    unsubscribe: [
      {
        kind: 'unsubscribe',
        method: 'POST',
        url: contacts,
        body: object(
          ['email', fact('remote_address')],
          ['updateEnabled', true],
          ['emailBlacklisted', true],
          ...sms('plans_named'),
        ),
        when: 'known_address',
        answers: created(false),
      },
      orphans,
    ],
    delete: [
      remove(named('contact_id', 'remote_id'), { when: 'known_id' }),
      remove(named('email_id', 'remote_address'), { when: { all: ['known_address', { not: 'known_id' }] } }),
      orphans,
    ],
    event: {
      kind: 'event',
      method: 'POST',
      url: `${config.base_url}/events`,
      body: object(
        ['event_name', { $slug: 'event' }],
        ['event_date', { $milliseconds: 'event_at' }],
        [
          'identifiers',
          {
            $if: ['to_number', object(['contact_id', { $number: 'to_id' }]), object(['email_id', fact('to_address')])],
          },
        ],
        ['event_properties', { $slugged: 'properties' }, 'filled'],
      ),
      answers: EVENT,
      limits: { name: EVENT_LIMITS.name, property: EVENT_LIMITS.property, bytes: 50_000 },
    },
    bulk:
      config.import_from === 'off' || imported.length === 0 || config.update_by === 'batch'
        ? undefined
        : {
            most: 10_000,
            mostBytes: 7_500_000,
            least: config.import_from ?? worthAnImport(config),
            consents: ['basis'],
            atOnce: 1,
            // As `alone` in bulk.ts says: what an import cannot say of who is there already.
            alone: {
              any: [
                'has_named',
                'odd_address',
                ...(config.segment_lists === undefined ? [] : ['changes_lists']),
                {
                  all: [
                    { any: ['arrived', 'met'] },
                    {
                      any: [
                        'says_nothing_of',
                        'says_false',
                        ...(lists.length > 0 && config.list_policy === 'once' ? ['arrived'] : []),
                      ],
                    },
                  ],
                },
              ],
            },
            row: object(['email', fact('address')], ['attributes', { $present: fact('said') }, 'filled']),
            url: `${contacts}/import`,
            body: object(
              ['jsonBody', fact('rows')],
              ['listIds', imported],
              ['updateExistingContacts', true],
              ['emptyContactsAttributes', false],
              ['disableNotification', true],
            ),
            answers: [
              { status: [204], kind: 'delivered' },
              {
                of: ['delivered'],
                json: 'object',
                kind: 'delivered',
                id: [['processId']],
                idType: 'number',
                needsId: true,
              },
              { of: ['delivered'], kind: 'unknown', code: 'malformed_answer' },
              ...OF_THE_ACCOUNT,
              {
                ...REFUSED,
                words: [MESSAGE, '\\mlists?\\M'],
                kind: 'config',
                code: 'unknown_list',
                field: 'listIds',
              },
              WRONG_PATH,
            ],
            watch: {
              url: text(`${config.base_url}/processes/`, segment('work')),
              firstMs: 2_000,
              mostMs: 60_000,
              answers: [
                { status: [404], kind: 'unknown', code: 'import_lost' },
                {
                  of: ['delivered'],
                  words: [STATUS, '^(failed|cancelled)$'],
                  kind: 'reject',
                  code: 'import_failed',
                },
                // A link to a file says that something is wrong with rows, and not with which.
                {
                  of: ['delivered'],
                  words: [STATUS, '^completed$'],
                  body: '"import"\\s*:\\s*\\{[^}]*:\\s*"[^"]',
                  kind: 'reject',
                  code: 'rows_refused',
                },
                { of: ['delivered'], words: [STATUS, '^completed$'], kind: 'delivered' },
                { of: ['delivered'], kind: 'retry', code: 'at_work' },
              ],
            },
          },
    pull: [
      {
        url: {
          $if: [
            'after',
            text(`${contacts}?limit=250&offset=`, { $query: 'after' }, '&sort=asc'),
            `${contacts}?limit=250&offset=0&sort=asc`,
          ],
        },
        rows: ['contacts'],
        address: ['email'],
        reasons: {},
        otherwise: 'unsubscribe',
        only: [['emailBlacklisted'], [true]],
        next: { offset: 250, overlap: 10 },
      },
    ],
    attributes: {
      by: {
        text: 'text',
        json: 'text',
        boolean: 'boolean',
        integer: 'number',
        float: 'number',
        date: 'calendar_day',
        timestamp: 'calendar_day',
        unknown: 'plain',
      },
      nestedAsText: false,
      cleared: config.clear_as === null ? null : '',
      upperCase: true,
      named: Object.fromEntries([...PHONES].map((name) => [name, 'phone'] as const)),
      leftOut: [ADDRESS],
    },
  };
}
