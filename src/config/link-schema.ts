import { LINK_WORDS } from './table-index.ts';
import type { Schema } from './schema-parts.ts';

/** The name of a table. */
export const tableNameSchema: Schema = { type: 'string', minLength: 1, description: 'A table, or schema.table.' };

/** Several tables. */
export function tableListSchema(description: string): Schema {
  return { type: ['array', 'null'], uniqueItems: true, items: tableNameSchema, description };
}

const column: Schema = { type: 'string', minLength: 1, description: 'A column of the row.' };

/** `contact`: how a row leads to its contact. */
export const contactSchema: Schema = {
  type: ['object', 'null'],
  description:
    'The column that leads to the contact: it holds the id of a user, an address, or the primary key of a mapped table of contacts. Default: found by foreign key or by name.',
  properties: Object.fromEntries(LINK_WORDS.map((word) => [word, column])),
  additionalProperties: column,
  minProperties: 1,
  maxProperties: 1,
};
