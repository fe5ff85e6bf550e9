import {
  AS_THEY_ARE,
  type AnswerRule,
  type Declaration,
  fact,
  object,
  type Step,
  type Template,
  text,
} from '../../core/declared.ts';
import type { WebhookConfig } from './config.ts';

const ID: Template = {
  $if: ['known_id', fact('remote_id'), text('c_', fact('install'), '_', fact('epoch36'), '_', fact('contact_id'))],
};
const KEY: Template = text('m_', fact('install'), '_', fact('epoch36'), '_', fact('contact_id'), '_', fact('version'), {
  $if: ['again', '_again', ''],
});

const ANSWERS: readonly AnswerRule[] = [
  {
    status: [410],
    kind: 'config',
    code: 'gone',
    untilApply: true,
    say: 'The receiver wants no more messages (status 410). Nothing is sent until `rollcall apply`.',
  },
  {
    status: [404, 405],
    kind: 'config',
    code: 'wrong_path',
    say: 'There is no receiver of messages at this URL: check url.',
  },
  { status: [413], kind: 'reject', code: 'too_large' },
];

function message(
  kind: Step['kind'],
  type: string,
  contact: readonly (readonly [string, Template])[],
  url: string,
): Step {
  return {
    kind,
    method: 'POST',
    url,
    key: ['webhook-id', KEY],
    body: object(
      ['type', type],
      [
        'data',
        object(
          ['contact', object(['id', ID], ...contact)],
          ['epoch', fact('epoch')],
          ['version', { $number: 'version' }],
        ),
      ],
    ),
    when: kind === 'upsert' ? 'address' : 'has_remote',
    answers: [{ of: ['delivered'], kind: 'delivered', ...(kind === 'upsert' ? { idIs: ID } : {}) }, ...ANSWERS],
  };
}

/** A receiver of Standard Webhooks for the SQL home: all that is said is a POST, so that nothing differs from what the worker says. */
export function declare(config: WebhookConfig): Declaration {
  const before = ['previous_addresses', fact('previous')] as const;
  const was = [['address', fact('remote_address')], before] as const;
  return {
    tellsOptOut: true,
    auth: {
      sign: 'standard-webhooks',
      options: config.previous_secret === undefined ? ['secret'] : ['secret', 'previous_secret'],
    },
    upsert: [
      message(
        'upsert',
        'contact.upserted',
        [['address', fact('address')], before, ['consent', fact('consent')], ['attributes', fact('said')]],
        config.url,
      ),
    ],
    unsubscribe: [message('unsubscribe', 'contact.unsubscribed', [...was, ['consent', 'opted_out']], config.url)],
    delete: [message('delete', 'contact.deleted', was, config.url)],
    event: {
      kind: 'event',
      method: 'POST',
      url: config.url,
      key: ['webhook-id', text('e_', fact('event_id'))],
      body: object(
        ['type', text('event.', fact('event'))],
        ['timestamp', fact('event_at')],
        [
          'data',
          object(
            [
              'event',
              object(
                ['id', fact('event_id')],
                ['name', fact('event')],
                ['properties', fact('properties')],
                ['occurred_at', fact('event_at')],
              ),
            ],
            ['contact', object(['id', fact('to_id')], ['address', fact('to_address')])],
          ),
        ],
      ),
      answers: [{ of: ['delivered'], kind: 'delivered' }, ...ANSWERS],
    },
    attributes: AS_THEY_ARE,
  };
}
