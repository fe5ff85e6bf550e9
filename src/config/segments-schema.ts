import { contactSchema } from './link-schema.ts';
import { closed, type Schema, text } from './schema-parts.ts';

const segment: Schema = closed(
  {
    from: text('Whose rows are looked at: users, or a table (or schema.table). Default: users.'),
    contact: contactSchema,
    where: text('SQL condition over a row; whoever has one for which it is true is a member.'),
    filter: text('The same as a filter of PostgREST, such as plan=eq.pro&mrr=gt.100.'),
    destination: text('The destination that has the list. Default: the only one.'),
    list: {
      anyOf: [
        { type: 'integer', exclusiveMinimum: 0 },
        { type: 'string', minLength: 1, maxLength: 255 },
      ],
      description: 'The list that members are on, by name or id.',
    },
  },
  ['list'],
);

/** `segments`. */
export const segmentsSchema: Schema = {
  type: ['object', 'null'],
  propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$' },
  additionalProperties: { ...segment, oneOf: [{ required: ['where'] }, { required: ['filter'] }] },
  description: 'Name to who is in it and which list they are on.',
};
