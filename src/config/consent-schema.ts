import { CONSENT_POLICIES } from './read-consent-use.ts';
import { allowEnv, boolean, choice, object, type Schema, text } from './schema-parts.ts';

/** `consent`, `consent_policy`, `consent_readers` and `write_back`. */
export function consentSchemas(): Readonly<Record<string, Schema>> {
  return {
    consent: basis(),
    consent_policy: choice(CONSENT_POLICIES, 'Whom a no at one destination is for. Default: global.'),
    consent_readers: {
      type: ['array', 'null'],
      items: text('The name of a role.'),
      description: 'Roles of the database that may call rollcall.can_email, for row security and queries of the app.',
    },
    write_back: {
      description: 'Where what people have said is written for the app to see.',
      anyOf: [writeBack, { type: 'array', items: writeBack }, { type: 'null' }],
    },
  };
}

const answer = (description: string): Schema => ({ type: 'string', minLength: 1, description });

function basis(): Schema {
  return {
    description: 'Who may be mailed. There is no default.',
    anyOf: [
      { enum: ['nobody', null], description: 'Nobody is subscribed until an opt-in.' },
      { type: 'string', pattern: '\\$\\{' },
      {
        type: 'object',
        properties: {
          column: answer('Column, metadata path or table.column of a mapped table, true for those who said yes.'),
          at: answer('Column beside it: when they said so.'),
          confirmed: answer('Column beside it: true, or a time, once they have confirmed it (double opt-in).'),
        },
        required: ['column'],
        additionalProperties: false,
      },
      {
        type: 'object',
        properties: { everyone: { type: 'string', pattern: '\\S', description: 'The stated basis.' } },
        required: ['everyone'],
        additionalProperties: false,
      },
    ],
  };
}

const writeBack: Schema = object('One place.', {
  column: text('table.column, or schema.table.column: a boolean, a time (of the opt-out) or a text.'),
  app_metadata: text('A key of auth.users.raw_app_meta_data.'),
  says: choice(['opted_out', 'opted_in'], 'What true stands for. Default: opted_out.'),
  contact: object('How a row of the table leads to its contact. Default: as in its mapping, else by foreign key.', {
    user_id: text('The column with the id of the user.'),
    email: text('The column with the address.'),
  }),
  insert: boolean('Whether a row is added for whom there is none. Default: false.'),
});

export const topicSchema: Schema = {
  ...allowEnv({ type: ['string', 'null'] }),
  description: 'What it mails about, with consent_policy: per_topic. Default: everything.',
};
