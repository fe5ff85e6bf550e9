import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkMistakes, destination, failure, parse, registry } from '../../test/support/config-text.ts';
import type { Destination } from '../core/destination.ts';
import { fillVault, secretNames } from './fill-vault.ts';
import { interpolate } from './interpolate.ts';
import { parseConfig } from './load.ts';
import type { DestinationConfig } from './types.ts';

const first = (text: string, env = {}): DestinationConfig => parse(text, env).destinations[0]!;
const fill = (entry: DestinationConfig, secrets: Readonly<Record<string, string>>): DestinationConfig =>
  fillVault(entry, registry[0]!, new Map(Object.entries(secrets)));

describe('the text of a value', () => {
  test.each([
    ['${vault:KEY}', [{ secret: 'KEY' }]],
    ['${vault: my key }', [{ secret: 'my key' }]],
    ['a-${vault:A}${NAME}-${vault:B.c/d}', ['a-', { secret: 'A' }, 'value', '-', { secret: 'B.c/d' }]],
    ['$${vault:KEY}', undefined],
    ['${NAME}', undefined],
  ])('%s', (text, parts) => expect(interpolate(text, { NAME: 'value' }).vault).toEqual(parts));

  test.each(['${vault:}', '${vault: }', '${vault:a{b}', '${vault:KEY', '${vault:a\nb}'])('%j is none', (text) => {
    expect(interpolate(text, {})).toMatchObject({ vault: undefined, problems: [{ kind: 'syntax' }] });
  });
});

describe('where it can stand', () => {
  checkMistakes([
    {
      name: 'not in the URL of the database',
      text: 'database_url: "${vault:URL}"',
      are: ['1:15 RC_CONFIG_VAULT'],
      says: 'in an option of a destination only',
      hint: '${NAME}',
    },
    {
      name: 'not in what every destination says',
      text: destination('token: "${vault:KEY}"', 'on_delete: "${vault:POLICY}"', 'type: "${vault:TYPE}"'),
      are: ['5:16 RC_CONFIG_VAULT', '6:11 RC_CONFIG_VAULT'],
    },
    {
      name: 'other mistakes are told beside it',
      text: destination('token: "${vault:KEY}"', 'region: asia', 'tokn: x'),
      are: ['5:5 RC_CONFIG_DESTINATION_OPTION', '6:5 RC_CONFIG_UNKNOWN_KEY'],
    },
    {
      name: 'not where no text fits',
      text: destination('token: "12345678"', 'webhook: "${vault:ALL}"'),
      are: ['5:14 RC_CONFIG_VAULT'],
      says: `"destinations.postbox.webhook" can't stand in Vault`,
    },
  ]);
});

describe('placeholders and what fills them', () => {
  test('a secret', () => {
    const entry = first(destination('token: "${vault:POSTBOX}"'));
    expect(entry.options).toMatchObject({ token: expect.stringContaining('placeholder') as unknown });
    expect(entry.vault?.places).toEqual([
      { path: ['token'], parts: [{ secret: 'POSTBOX' }], secret: true, line: 4, column: 12 },
    ]);
    expect(entry.account).toBe('https://postbox.example');
    expect(secretNames(entry)).toEqual(['POSTBOX']);
    const filled = fill(entry, { POSTBOX: 'token-of-postbox' });
    expect(filled.options).toEqual({ ...(entry.options as object), token: 'token-of-postbox' });
  });

  test('addresses, words, numbers and truths, whole and in part, in lists and maps', () => {
    const entry = first(
      destination(
        'token: "key-${vault:KEY}"',
        'base_url: "https://${vault:HOST}/api"',
        'region: "${vault:REGION}"',
        'lists: [7, "${vault:LIST}"]',
        'limit: "${vault:LIMIT}"',
        'quiet: "${vault:QUIET}"',
        'webhook: {path: /hook, secret: "${vault:KEY}"}',
        'headers: {x-team: "${vault:TEAM} ${WHERE}"}',
      ),
      { WHERE: 'here' },
    );
    expect(secretNames(entry)).toEqual(['KEY', 'HOST', 'REGION', 'LIST', 'LIMIT', 'QUIET', 'TEAM']);
    // Vault has what tells the account.
    expect(entry.account).toBeUndefined();
    const filled = fill(entry, {
      KEY: '12345678',
      HOST: 'eu.example',
      REGION: 'us',
      LIST: 'news',
      LIMIT: '2.5',
      QUIET: 'true',
      TEAM: 'a',
    });
    expect(filled.account).toBe('https://eu.example/api');
    expect(filled.options).toEqual({
      token: 'key-12345678',
      base_url: 'https://eu.example/api',
      region: 'us',
      lists: [7, 'news'],
      limit: 2.5,
      quiet: true,
      clear_as: 'empty',
      webhook: { path: '/hook', secret: '12345678' },
      headers: { 'x-team': 'a here' },
    });
  });

  test('what a schema gives as an example', () => {
    const strict: Destination<unknown> = {
      ...registry[0]!,
      config: z.object({
        key: z
          .string()
          .regex(/^sk_\d{4}$/)
          .meta({ secret: true, examples: ['sk_0000'] }),
      }),
      account: () => 'one',
    };
    const text = 'consent: nobody\ndestinations: {postbox: {key: "${vault:KEY}"}}';
    const [entry] = parseConfig(text, { file: 'rollcall.yaml', env: {}, registry: [strict] }).destinations;
    expect(fillVault(entry!, strict, new Map([['KEY', 'sk_1234']])).options).toEqual({ key: 'sk_1234' });
    expect(() => fillVault(entry!, strict, new Map([['KEY', 'wrong-secret']]))).toThrow(
      /"KEY" does not fit destinations.postbox.key/,
    );
  });

  test('a mistake names the secret and not its value', () => {
    const entry = first(destination('token: "${vault:KEY}"', 'region: "${vault:REGION}"'));
    const wrong = (): unknown => fill(entry, { KEY: 'short', REGION: 'us' });
    expect(wrong).toThrow(
      expect.objectContaining({
        code: 'RC_VAULT_SECRET',
        place: { path: 'destinations.postbox.token', line: 4, column: 12 },
      }) as Error,
    );
    expect(wrong).toThrow(/^What Vault has as "KEY" does not fit/);
    expect(() => fill(entry, { KEY: '12345678', REGION: 'atlantis' })).toThrow(/^(?!.*atlantis).*"REGION"/);
  });

  test('the hash knows what is no secret, by its name', () => {
    const hash = (...lines: readonly string[]): string => parse(destination(...lines)).hash;
    const token = 'token: "${vault:KEY}"';
    expect(hash(token)).toBe(hash('token: "12345678"'));
    expect(hash(token, 'region: "${vault:A}"')).not.toBe(hash(token, 'region: "${vault:B}"'));
  });

  test('a line with a name of a secret is shown as any option is', () => {
    const { lines } = failure(destination('token: "${vault:KEY}"', 'region: asia'));
    expect([...lines.values()].join('\n')).not.toContain('asia');
  });
});
