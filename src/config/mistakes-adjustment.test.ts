import { describe, expect, test } from 'vitest';
import { checkMistakes, destination, mapping, mistakes, parse } from '../../test/support/config-text.ts';

const MAPPING = mapping('email: email', 'user_metadata.a: FULL_NAME', 'user_metadata.b: PLAN', 'id: {to: ID}');

/** The mapping is on lines 1 to 7; what is added is from line 12 on. */
const at = (...lines: readonly string[]): string => MAPPING + destination('token: "12345678"', ...lines);

describe('what a destination says of attributes', () => {
  checkMistakes([
    {
      name: 'an unknown attribute, near one',
      text: at('attributes:', '  only: [FULL_NAM, PLAN]'),
      are: ['13:14 RC_CONFIG_ATTRIBUTE'],
      says: 'no attribute "FULL_NAM" is mapped',
      hint: 'Did you mean "FULL_NAME"?',
    },
    {
      name: 'unknown ones everywhere',
      text: at('attributes:', '  drop: [X1]', '  rename: {X2: Y}', '  retype: {X3: text}'),
      are: ['13:14 RC_CONFIG_ATTRIBUTE', '14:16 RC_CONFIG_ATTRIBUTE', '15:16 RC_CONFIG_ATTRIBUTE'],
      hint: 'FULL_NAME, PLAN, ID',
    },
    {
      name: 'two with one new name',
      text: at('attributes: {rename: {FULL_NAME: X, PLAN: X}}'),
      are: ['12:47 RC_CONFIG_DUPLICATE_TARGET'],
      says: '"FULL_NAME" and "PLAN"',
    },
    {
      name: 'the name of one that stays',
      text: at('attributes: {rename: {FULL_NAME: PLAN}}'),
      are: ['12:38 RC_CONFIG_DUPLICATE_TARGET'],
    },
    {
      name: 'the address',
      text: at('attributes: {rename: {PLAN: Email}}'),
      are: ['12:33 RC_CONFIG_VALUE'],
      says: 'email',
    },
    { name: 'no name', text: at('attributes: {rename: {PLAN: }}'), are: ['12:27 RC_CONFIG_MISSING'] },
    { name: 'no name at all', text: at('attributes: {rename: {PLAN: "a\\nb"}}'), are: ['12:33 RC_CONFIG_VALUE'] },
    {
      name: 'one that does not go there',
      text: at('attributes: {drop: [PLAN], only: [PLAN, ID], rename: {PLAN: X}, retype: {FULL_NAME: json}}'),
      are: ['12:59 RC_CONFIG_ATTRIBUTE', '12:78 RC_CONFIG_ATTRIBUTE'],
      says: 'left out',
    },
    {
      name: 'no type',
      text: at('attributes: {retype: {PLAN: string}}'),
      are: ['12:33 RC_CONFIG_VALUE'],
      hint: 'text',
    },
    {
      name: 'other shapes',
      text: at('attributes:', '  only: PLAN', '  rename: [PLAN]', '  drops: []', 'where: 1'),
      are: ['13:13 RC_CONFIG_TYPE', '14:15 RC_CONFIG_TYPE', '15:7 RC_CONFIG_UNKNOWN_KEY', '16:12 RC_CONFIG_TYPE'],
    },
    {
      name: 'what may be created',
      text: at('create_missing: [field]'),
      are: ['12:22 RC_CONFIG_VALUE'],
      hint: 'fields',
    },
    { name: 'what may be created, as a word', text: at('create_missing: fields'), are: ['12:21 RC_CONFIG_TYPE'] },
    {
      name: 'what may be created, as a map',
      text: at('create_missing: [{fields: true}]'),
      are: ['12:22 RC_CONFIG_TYPE'],
    },
  ]);

  test('names are not judged while the mapping is wrong', () => {
    const text =
      mapping('emial: email', 'user_metadata.b: PLAN') + destination('token: "12345678"', 'attributes: {only: [X]}');
    expect(mistakes(text)).toEqual(['4:7 RC_CONFIG_COLUMN_UNKNOWN']);
  });
});

describe('what becomes of it', () => {
  const read = (...lines: readonly string[]) => parse(at(...lines)).destinations[0];

  test('nothing said is nothing', () => {
    expect(read('attributes:')?.adjustment).toBeUndefined();
    expect(
      read('attributes: {only: , drop: [], rename: {PLAN: PLAN}, retype: }', 'where:')?.adjustment,
    ).toBeUndefined();
  });

  test('all of it, with places', () => {
    const lines = [
      'attributes:',
      '  only: [FULL_NAME, PLAN]',
      '  drop: [PLAN]',
      '  rename: {FULL_NAME: FIRSTNAME}',
      '  retype: {FULL_NAME: json}',
      `where: "PLAN = 'pro'"`,
    ];
    expect(read(...lines)?.adjustment).toEqual({
      only: ['FULL_NAME', 'PLAN'],
      drop: ['PLAN'],
      rename: { FULL_NAME: 'FIRSTNAME' },
      retype: [
        {
          name: 'FULL_NAME',
          type: 'json',
          path: 'destinations.postbox.attributes.retype.FULL_NAME',
          line: 16,
          column: 27,
        },
      ],
      where: { expression: `PLAN = 'pro'`, line: 17, column: 12 },
    });
  });

  test('two may change names with each other', () => {
    expect(read('attributes: {rename: {FULL_NAME: PLAN, PLAN: FULL_NAME}}')?.adjustment?.rename).toEqual({
      FULL_NAME: 'PLAN',
      PLAN: 'FULL_NAME',
    });
  });

  test.each([
    ['', { fields: true, lists: false }],
    ['create_missing:', { fields: true, lists: false }],
    ['create_missing: true', { fields: true, lists: true }],
    ['create_missing: false', { fields: false, lists: false }],
    ['create_missing: []', { fields: false, lists: false }],
    ['create_missing: [lists]', { fields: false, lists: true }],
    ['create_missing: [lists, fields]', { fields: true, lists: true }],
  ])('%s', (line, made) => expect(read(line)?.createMissing).toEqual(made));

  test('from the environment', () => {
    const env = { MAY: 'false', NAME: 'SECRET_NAME' };
    expect(parse(at('create_missing: ${MAY}'), env).destinations[0]?.createMissing.fields).toBe(false);
    expect(mistakes(at('attributes: {only: ["${NAME}"]}'), env)).toEqual(['12:25 RC_CONFIG_ATTRIBUTE']);
  });

  test('the hash knows the mapping, and not what may be created', () => {
    const hash = (...lines: readonly string[]): string => parse(at(...lines)).hash;
    const plain = hash();
    expect(hash('create_missing: true')).toBe(plain);
    expect(hash('attributes: {only: [PLAN, ID]}')).toBe(hash('', 'attributes: {only: [ID, PLAN]}'));
    const all = [
      plain,
      hash('attributes: {only: [PLAN]}'),
      hash('attributes: {drop: [PLAN]}'),
      hash('attributes: {rename: {PLAN: X}}'),
      hash('attributes: {retype: {PLAN: json}}'),
      hash('where: "true"'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
