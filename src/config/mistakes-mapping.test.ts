import { describe } from 'vitest';
import { checkMistakes, mapping } from '../../test/support/config-text.ts';

describe('user_mapping', () => {
  checkMistakes([
    {
      name: 'a secret',
      text: mapping('encrypted_password: PW'),
      are: ['4:7 RC_CONFIG_COLUMN_REFUSED'],
      says: '"encrypted_password" can\'t be mapped: it is a secret of auth.users',
    },
    {
      name: 'tokens',
      text: mapping('confirmation_token: A', 'reauthentication_sent_at: B', 'recovery_token.x: C'),
      are: ['4:7 RC_CONFIG_COLUMN_REFUSED', '5:7 RC_CONFIG_COLUMN_REFUSED', '6:7 RC_CONFIG_COLUMN_REFUSED'],
    },
    {
      name: 'a pending address',
      text: mapping('email_change: NEXT'),
      are: ['4:7 RC_CONFIG_COLUMN_REFUSED'],
      says: 'a pending address never leaves',
    },
    {
      name: 'an unknown column, with the nearest',
      text: mapping('created: SIGNUP'),
      are: ['4:7 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: '"created_at"',
    },
    {
      name: 'a misspelt metadata path',
      text: mapping('usermetadata.plan: PLAN'),
      are: ['4:7 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: '"user_metadata.plan"',
    },
    {
      name: 'a metadata key without its column',
      text: mapping('favourite_colour: COLOUR'),
      are: ['4:7 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: '"user_metadata.favourite_colour"',
    },
    {
      name: 'a misspelt key of ours',
      text: mapping('atributes: {X: {const: 1}}'),
      are: ['4:7 RC_CONFIG_COLUMN_UNKNOWN'],
      hint: '"attributes"',
    },
    {
      name: 'a path inside a plain column',
      text: mapping('email.domain: DOMAIN'),
      are: ['4:7 RC_CONFIG_COLUMN_PATH'],
      says: 'nothing lies inside it',
    },
    {
      name: 'a path with a hole',
      text: mapping('user_metadata..x: A', '.email: B', 'user_metadata.: C'),
      are: ['4:7 RC_CONFIG_COLUMN_PATH', '5:7 RC_CONFIG_COLUMN_PATH', '6:7 RC_CONFIG_COLUMN_PATH'],
    },
    { name: 'no target', text: mapping('phone:'), are: ['4:7 RC_CONFIG_MISSING'] },
    { name: 'no target among options', text: mapping('phone: {transform: e164}'), are: ['4:14 RC_CONFIG_MISSING'] },
    { name: 'an empty list of targets', text: mapping('phone: []'), are: ['4:14 RC_CONFIG_MISSING'] },
    { name: 'a target that is a number', text: mapping('phone: 5'), are: ['4:14 RC_CONFIG_TYPE'] },
    {
      name: 'a target with an empty name',
      text: mapping('phone: ["", " "]'),
      are: ['4:15 RC_CONFIG_VALUE', '4:19 RC_CONFIG_VALUE'],
    },
    {
      name: 'an unknown option',
      text: mapping('phone: {to: SMS, when_nul: clear}'),
      are: ['4:24 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"when_null"',
    },
    {
      name: 'an unknown null policy',
      text: mapping('phone: {to: SMS, when_null: keep}'),
      are: ['4:35 RC_CONFIG_VALUE'],
    },
    {
      name: 'an unknown type',
      text: mapping('phone: {to: SMS, type: string}'),
      are: ['4:30 RC_CONFIG_VALUE'],
      hint: 'text, integer',
    },
    {
      name: 'one target twice, both places named',
      text: mapping('phone: SMS', 'user_metadata.phone: [X, SMS]'),
      are: ['5:32 RC_CONFIG_DUPLICATE_TARGET'],
      says: 'first at 4:14',
    },
    {
      name: 'one target twice, with attributes',
      text: mapping('phone: SMS', 'attributes:', '  SMS: {const: 1}'),
      are: ['6:9 RC_CONFIG_DUPLICATE_TARGET'],
      says: 'first at 4:14',
    },
    {
      name: 'two addresses',
      text: mapping('email: email', 'user_metadata.mail: EMAIL'),
      are: ['5:27 RC_CONFIG_DUPLICATE_TARGET'],
    },
    {
      name: 'an address with options',
      text: mapping('email: {to: email, transform: lower}'),
      are: ['4:26 RC_CONFIG_ADDRESS'],
    },
    {
      name: 'an address of another type',
      text: mapping('created_at: email', 'user_metadata: Email'),
      are: ['4:19 RC_CONFIG_ADDRESS', '5:22 RC_CONFIG_DUPLICATE_TARGET'],
    },
    {
      name: 'an address that is a whole object',
      text: mapping('user_metadata: email'),
      are: ['4:22 RC_CONFIG_ADDRESS'],
    },
    {
      name: 'an address that is computed',
      text: mapping('attributes: {email: {const: a@b.c}}'),
      are: ['4:20 RC_CONFIG_ADDRESS'],
    },
    {
      name: 'an attribute that says nothing',
      text: mapping('attributes:', '  A:', '  B: {}', '  C: {sql: }', '  D: supabase'),
      are: ['5:9 RC_CONFIG_TYPE', '6:9 RC_CONFIG_MISSING', '7:13 RC_CONFIG_MISSING', '8:12 RC_CONFIG_TYPE'],
      hint: '{const: …}',
    },
    {
      name: 'an attribute that says two things',
      text: mapping('attributes: {A: {const: 1, sql: "1"}}'),
      are: ['4:34 RC_CONFIG_VALUE'],
    },
    {
      name: 'an empty expression',
      text: mapping('attributes: {A: {sql: " "}}', 'where: ""'),
      are: ['4:29 RC_CONFIG_VALUE', '5:14 RC_CONFIG_VALUE'],
    },
    { name: 'a constant that is a list', text: mapping('attributes: {A: {const: [1]}}'), are: ['4:31 RC_CONFIG_TYPE'] },
    { name: 'a text for unconfirmed', text: mapping('unconfirmed: "true"'), are: ['4:20 RC_CONFIG_TYPE'] },
  ]);
});

const transform = (text: string): string => mapping(`phone: {to: SMS, transform: ${text}}`);

describe('transforms', () => {
  checkMistakes([
    { name: 'an unknown one', text: transform('e146'), are: ['4:35 RC_CONFIG_TRANSFORM'], hint: '"e164"' },
    {
      name: 'an unknown one with a value',
      text: transform('{defalt: x}'),
      are: ['4:36 RC_CONFIG_UNKNOWN_KEY'],
      hint: '"default"',
    },
    {
      name: 'one that needs a value',
      text: transform('[trim, template]'),
      are: ['4:42 RC_CONFIG_TRANSFORM'],
      hint: '{template: …}',
    },
    { name: 'one that takes none', text: transform('{lower: true}'), are: ['4:43 RC_CONFIG_TRANSFORM'] },
    {
      name: 'two in one object',
      text: transform('{lower: , trim: }'),
      are: ['4:45 RC_CONFIG_TRANSFORM'],
      hint: 'list',
    },
    { name: 'an empty object', text: transform('{}'), are: ['4:35 RC_CONFIG_TRANSFORM'] },
    { name: 'a number', text: transform('5'), are: ['4:35 RC_CONFIG_TYPE'] },
    { name: 'a default that says nothing', text: transform('{default: }'), are: ['4:36 RC_CONFIG_TYPE'] },
    { name: 'a map that is none', text: transform('{map: lower}'), are: ['4:41 RC_CONFIG_TYPE'] },
    {
      name: 'a map to a list',
      text: transform('{map: {a: [1]}, else: {}}'),
      are: ['4:45 RC_CONFIG_TYPE', '4:57 RC_CONFIG_TYPE'],
    },
    { name: 'else without a map', text: transform('{default: 1, else: 2}'), are: ['4:48 RC_CONFIG_UNKNOWN_KEY'] },
    {
      name: 'a country code that is none',
      text: transform('{e164: {country_code: "049"}}'),
      are: ['4:57 RC_CONFIG_VALUE'],
    },
    {
      name: 'an unknown key of e164',
      text: transform('{e164: {country: "49"}}'),
      are: ['4:43 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'country_code',
    },
    {
      name: 'a secret in a template',
      text: transform('{template: "{encrypted_password}"}'),
      are: ['4:46 RC_CONFIG_TRANSFORM'],
      says: 'it is a secret of auth.users',
    },
    {
      name: 'an unknown column in a template',
      text: transform('{template: "{vlue}"}'),
      are: ['4:46 RC_CONFIG_TRANSFORM'],
      hint: '"value"',
    },
    {
      name: 'an open brace in a template',
      text: transform('{template: "a { b"}'),
      are: ['4:46 RC_CONFIG_TRANSFORM'],
      says: 'no partner',
    },
  ]);
});
