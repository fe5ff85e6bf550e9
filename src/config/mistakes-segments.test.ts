import { describe, expect, test } from 'vitest';
import { isSegmentAttribute } from '../core/segments.ts';
import {
  checkMistakes,
  FULL,
  FULL_ENV,
  failure,
  mapping,
  parse,
  SEGMENTS,
  table,
} from '../../test/support/config-text.ts';

const HEAD = `${mapping('email: email')}consent: nobody
destinations:
  postbox: {token: "12345678", lists: [Everybody, 7]}
`;

/** The segments begin on line 9, and what is in \`pro\` on line 10, four columns in. */
const at = (...lines: readonly string[]): string =>
  `${HEAD}segments:\n  pro:\n${lines.map((line) => `    ${line}\n`).join('')}`;
const GOOD = 'filter: user_metadata->>plan=eq.pro';

describe('segments', () => {
  checkMistakes([
    { name: 'no map', text: `${HEAD}segments: [pro]\n`, are: ['8:11 RC_CONFIG_TYPE'] },
    {
      name: 'an empty one',
      text: `${HEAD}segments:\n  pro:\n`,
      are: ['9:3 RC_CONFIG_MISSING'],
      hint: 'filter: plan=eq.pro',
    },
    { name: 'a bad name', text: `${HEAD}segments:\n  "a b": {${GOOD}, list: X}\n`, are: ['9:3 RC_CONFIG_VALUE'] },
    {
      name: 'an unknown key',
      text: at(GOOD, 'lst: X', 'list: X'),
      are: ['11:5 RC_CONFIG_UNKNOWN_KEY'],
      hint: 'Did you mean "list"?',
    },
    { name: 'nothing said of who', text: at('list: X'), are: ['9:3 RC_CONFIG_MISSING'], says: 'who is in it' },
    { name: 'no list', text: at(GOOD), are: ['9:3 RC_CONFIG_MISSING'], says: 'which list' },
    {
      name: 'where and filter',
      text: at(GOOD, 'where: is_anonymous', 'list: X'),
      are: ['10:5 RC_CONFIG_SEGMENT'],
      says: 'both where and filter',
    },
    {
      name: 'no operator',
      text: at('filter: user_metadata->>plan=pro', 'list: X'),
      are: ['10:13 RC_CONFIG_FILTER'],
      says: '"pro" is no operator (character 22 of the filter)',
      hint: 'eq, neq, gt, gte, lt, lte, like, ilike, in, is',
    },
    {
      name: 'a secret column',
      text: at('filter: email=eq.x&encrypted_password=not.is.null', 'list: X'),
      are: ['10:13 RC_CONFIG_FILTER'],
      says: `"encrypted_password" can't be mapped`,
    },
    {
      name: 'an unknown column',
      text: at('filter: emial=eq.x', 'list: X'),
      are: ['10:13 RC_CONFIG_FILTER'],
      hint: 'Did you mean "email"?',
    },
    {
      name: 'a filter of the environment, which is not shown',
      text: at('filter: ${FILTER}', 'list: X'),
      env: { FILTER: 'secret-word' },
      are: ['10:13 RC_CONFIG_FILTER'],
      says: 'the value of its environment variable is no filter',
    },
    { name: 'a filter of another type', text: at('filter: 1', 'list: X'), are: ['10:13 RC_CONFIG_TYPE'] },
    {
      name: 'a system table',
      text: at('from: auth.sessions', GOOD, 'list: X'),
      are: ['10:11 RC_CONFIG_TABLE_REFUSED'],
    },
    {
      name: 'a contact of users',
      text: at('contact: {email: email}', GOOD, 'list: X'),
      are: ['10:5 RC_CONFIG_SEGMENT'],
      says: 'a user is a contact',
    },
    {
      name: 'a contact of a mapped table',
      text: `${at('from: customers', 'contact: {email: mail}', 'filter: plan=eq.pro', 'list: X')}${table('customers', 'mail: email')}`,
      are: ['11:5 RC_CONFIG_SEGMENT'],
      says: 'the mapping of "customers" says how',
    },
    {
      name: 'an unknown destination',
      text: at(GOOD, 'list: X', 'destination: postbx'),
      are: ['12:18 RC_CONFIG_SEGMENT'],
      hint: 'Did you mean "postbox"?',
    },
    {
      name: 'several destinations, and none named',
      text: at(GOOD, 'list: X').replace(
        'destinations:\n',
        'destinations:\n  other: {type: postbox, token: "12345678"}\n',
      ),
      are: ['10:3 RC_CONFIG_MISSING'],
      hint: 'other, postbox',
    },
    { name: 'a list that is neither', text: at(GOOD, 'list: 1.5'), are: ['11:11 RC_CONFIG_TYPE'] },
    { name: 'a name of digits', text: at(GOOD, 'list: "12"'), are: ['11:11 RC_CONFIG_VALUE'], hint: 'without quotes' },
    {
      name: 'a list of everybody',
      text: at(GOOD, 'list: Everybody'),
      are: ['11:11 RC_CONFIG_SEGMENT'],
      says: 'everybody joins',
    },
    { name: 'the same by id', text: at(GOOD, 'list: 7'), are: ['11:11 RC_CONFIG_SEGMENT'] },
    {
      name: 'one list of two',
      text: `${at(GOOD, 'list: X')}  more: {${GOOD}, list: X}\n`,
      are: ['12:3 RC_CONFIG_SEGMENT'],
      says: '"pro" and "more" have one list',
    },
  ]);
});

test('no value of the environment is in a message', () => {
  const { errors } = failure(at('filter: ${FILTER}', 'list: X'), { FILTER: 'secret-word' });
  expect(JSON.stringify(errors.map(({ message, hint }) => [message, hint]))).not.toContain('secret-word');
});

test('a segment is an attribute of its rows, which one destination takes as a list', () => {
  const config = parse(FULL + SEGMENTS, FULL_ENV);
  const [pro, big, buyers] = config.segments;
  expect([pro, big, buyers].map((each) => [each?.destination, each?.list, each?.from.kind])).toEqual([
    ['postbox', 'Pro users', 'users'],
    ['second', 12, 'contacts'],
    ['second', 'Buyers', 'related'],
  ]);
  const of = (attributes: readonly { readonly name: string }[]): string[] =>
    attributes.map(({ name }) => name).filter(isSegmentAttribute);
  expect(of(config.userMapping.attributes)).toEqual(['rollcall:segment:pro', 'rollcall:segment:buyers']);
  expect(config.tables.map(({ attributes }) => of(attributes))).toContainEqual(['rollcall:segment:big']);
  const [first, second] = config.destinations;
  expect(first?.adjustment?.lists).toEqual({ 'rollcall:segment:pro': 'Pro users' });
  expect(second).toMatchObject({
    adjustment: { lists: { 'rollcall:segment:big': '12', 'rollcall:segment:buyers': 'Buyers' } },
    segmentLists: [12, 'Buyers'],
    options: { segment_lists: { 12: 12, Buyers: 'Buyers' } },
    createMissing: { fields: true, lists: true },
  });
});

test('a list id may come from the environment, and what is said of missing lists holds', () => {
  const text = at(GOOD, 'list: ${LIST}').replace('token: "12345678"', 'token: "12345678", create_missing: [fields]');
  const config = parse(text, { LIST: '12' });
  expect(config.segments[0]?.list).toBe(12);
  expect(config.destinations[0]?.createMissing).toEqual({ fields: true, lists: false });
});
