import { describe, expect, test } from 'vitest';
import { connector, destination, failure, mapping } from '../../test/support/config-text.ts';
import { explainConfigErrors } from './explain.ts';

const explain = (text: string, env: Readonly<Record<string, string>> = {}): string =>
  explainConfigErrors(failure(text, env));

describe('mistakes on a terminal', () => {
  test('place, code, message, the line with a caret, and what to do', () => {
    const text = mapping('emial: email', 'phone: {to: SMS, transform: e146} # note');
    expect(explain(text)).toBe(
      [
        'rollcall.yaml:4:7  RC_CONFIG_COLUMN_UNKNOWN  auth.users has no column "emial"',
        '  4 |       emial: email',
        '    |       ^',
        '  Did you mean "email"?',
        '',
        'rollcall.yaml:5:35  RC_CONFIG_TRANSFORM  there is no transform "e146"',
        '  5 |       phone: {to: SMS, transform: e146}',
        '    |                                   ^',
        '  Did you mean "e164"?',
        '',
      ].join('\n'),
    );
  });

  test('an empty file has no line to show', () => {
    expect(explain('')).toBe(
      'rollcall.yaml:1:1  RC_CONFIG_EMPTY  the file is empty\n  Run `rollcall init` to write one.\n',
    );
  });

  test('tabs, wide characters and windows line ends keep the caret in place', () => {
    const shown = explain('connectors:\r\n  supabase:\r\n    user_mapping:\r\n      "🙂🙂": {to: A,\tb: 1}\r\n');
    expect(shown).toContain('  4 |       "🙂🙂": {to: A, b: 1}\n    |       ^');
    expect(shown).not.toContain('\r');
  });

  test('a very long line is cut around the caret', () => {
    const list = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
    const shown = explain(connector(`sync: {tables: [${list.join(', ')}, t7]}`));
    expect(shown).toContain('the table "t7" is listed twice');
    const [, line = '', caret = ''] = shown.split('\n');
    expect(line.length).toBeLessThan(140);
    expect(line.slice(caret.indexOf('^'))).toBe('t7]}');
  });

  test('at most fifty are shown', () => {
    const text = mapping(...Array.from({ length: 60 }, (_, index) => `nope_${index}_nope: A${index}`));
    expect(explain(text)).toMatch(/\n\nand 10 more\n$/);
    expect(failure(text).errors).toHaveLength(60);
    expect(failure(text).message).toContain('and 40 more');
  });

  test('a key cannot steer the terminal', () => {
    const shown = explain('"\\e[31mred\\u202e": 1\n');
    expect(shown).toContain('unknown key "\\u{1b}[31mred\\u{202e}"');
    // oxlint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});

test('lines of tables and events are shown as they are', () => {
  const text = `${connector('events: {user.updatd: x}')}table_mapping: {orders: {sync_as: events, event_name: x, wen: a}}\n`;
  const shown = explain(text);
  expect(shown).toContain('  3 |     events: {user.updatd: x}\n');
  expect(shown).toContain('  4 | table_mapping: {orders: {sync_as: events, event_name: x, wen: a}}\n');
  expect(shown).toContain('Did you mean "when"? Columns of an event stand under properties');
});

describe('secrets are shown nowhere', () => {
  const SECRET = 'S3cr3tValue';
  test.each([
    ['under a misspelt key', destination(`tokn: ${SECRET}`)],
    ['under a misspelt key of the top', `databse_url: postgres://u:${SECRET}@h/d`],
    ['as a wrong database', `database_url: mysql://u:${SECRET}@h/d`],
    ['beside a mistake on one line', `consent: nobody\ndestinations: {postbox: {token: ${SECRET}, lsts: 1}}`],
    ['as a key of the project', connector(`api_key: [${SECRET}]`)],
    ['as credentials in an address', connector(`project_url: https://u:${SECRET}@h`)],
    ['too short for its schema', destination('token: "S3cr3tV"').replaceAll('S3cr3tV', SECRET.slice(0, 7))],
    ['in a twin key', destination(`token: ${SECRET}`, `token: ${SECRET}`)],
    ['instead of options', `consent: nobody\ndestinations:\n  postbox: ${SECRET}`],
    ['in a comment', destination(`lsts: 1 # was ${SECRET}`)],
    ['in a comment alone on a line', `#${SECRET}`],
    ['in a merge key', destination(`<<: {token: ${SECRET}}`)],
    ['before a syntax error', destination(`token: ${SECRET}: x`)],
    ['in a broken flow map', `destinations: {postbox: {token: ${SECRET}, a`],
    ['over several lines with a tab', destination(`token: "a`, `\t${SECRET}`, '  b"', `\tx: ${SECRET}`)],
    ['as the whole file', SECRET],
    ['in a broken block header', destination(`token: |${SECRET}`)],
    ['as a tag', destination(`token: !${SECRET} x`)],
    [
      'through an alias',
      `environment: &a ${SECRET}\nconsent: nobody\ndestinations: {postbox: {token: *a, x: 1}}\nsweep: [*a]`,
    ],
    ['in a default of a variable', destination(`token: "\${A:-${SECRET}} \${B}"`)],
    ['with a NUL', destination(`token: "${SECRET}\\0"`)],
  ])('%s', (_, text) => {
    const hidden = SECRET.slice(0, 7);
    const error = failure(text);
    expect(explainConfigErrors(error)).not.toContain(hidden);
    expect(error.message).not.toContain(hidden);
    expect(JSON.stringify([...error.lines, ...error.errors])).not.toContain(hidden);
  });
});
