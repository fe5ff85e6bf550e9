import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Destination } from '../core/destination.ts';
import { parse as parseWith, registry } from '../../test/support/config-text.ts';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { parseConfig } from './load.ts';
import type { Config } from './types.ts';

const base = registry[0]!;
/** As a webhook is: every config of it must give its URL. */
const hook: Destination<unknown> = {
  ...base,
  id: 'hook',
  config: z.object({
    url: z.string(),
    secret: z.string().meta({ secret: true }),
    headers: z.record(z.string(), z.string().meta({ secret: true })).optional(),
  }),
  account: (config) => (config as { url: string }).url,
  standIn: (url, secret) => ({ url, secret }),
};
const all = [...registry, hook, mailtrap as Destination<unknown>];

function parse(destinations: string, env: Readonly<Record<string, string>> = {}, environment = 'development'): Config {
  const text = `environment: ${environment}\nconsent: nobody\nconnectors: { supabase: { sync: { users: true } } }\n${destinations}`;
  return parseConfig(text, { file: 'rollcall.yaml', env, registry: all });
}

/** Where each destination goes, by its options. */
function goes(config: Config): readonly unknown[] {
  return config.destinations.map(({ name, options, sandbox, account }) => ({ name, options, sandbox, account }));
}

const URL = 'http://127.0.0.1:4010/postbox';

test('a destination goes to its stand-in, its secrets unset and of no use, its other options kept', () => {
  const config = parse('destinations: { postbox: { token: "${POSTBOX_TOKEN}", region: us } }');
  expect(goes(config)).toMatchObject([
    { name: 'postbox', options: { token: 'sandbox-token', base_url: URL, region: 'us' }, sandbox: URL, account: URL },
  ]);
  const set = parse('destinations: { postbox: { token: "${T}" }, second: { type: postbox } }', { T: 'a real token' });
  expect(goes(set)).toMatchObject([{ options: { token: 'sandbox-token' } }, { name: 'second', sandbox: URL }]);
  expect(JSON.stringify(set)).not.toContain('a real token');
  expect(goes(parse('destinations: { postbox: }'))).toMatchObject([{ sandbox: URL }]);
});

test('sandbox: false, a base URL of its own, and any other environment keep a destination where it was', () => {
  const token = 'token: "12345678"';
  for (const config of [
    parse(`destinations: { postbox: { ${token}, sandbox: false } }`),
    parse(`destinations: { postbox: { ${token}, sandbox: "\${SANDBOX}" } }`, { SANDBOX: 'false' }),
    parse(`destinations: { postbox: { ${token}, base_url: "https://postbox.example" } }`),
    parse(`destinations: { postbox: { ${token} } }`, {}, 'production'),
    parse(`destinations: { postbox: { ${token}, sandbox: true } }`, {}, 'production'),
  ]) {
    expect(goes(config)).toMatchObject([{ options: { token: '12345678', base_url: 'https://postbox.example' } }]);
    expect(config.destinations[0]?.sandbox).toBeUndefined();
  }
});

test('a URL that must be given chooses nothing, unless it leads to this machine; secrets within options go', () => {
  const at = (url: string): unknown =>
    goes(
      parse(`destinations: { hook: { url: "${url}", secret: "\${S}", headers: { authorization: "\${A}" } } }`, env),
    )[0];
  let env: Record<string, string> = {};
  const standIn = 'http://127.0.0.1:4010/hook';
  expect(at('https://app.example/hook')).toEqual({
    name: 'hook',
    options: { url: standIn, secret: 'sandbox-token' },
    sandbox: standIn,
    account: standIn,
  });
  env = { S: 's', A: 'a' };
  expect(at('http://127.0.0.1:3000/hook')).toMatchObject({
    options: { url: 'http://127.0.0.1:3000/hook', secret: 's' },
  });
});

test('with no destinations at all there is the sandbox, as Mailtrap', () => {
  for (const none of ['', 'destinations:'])
    expect(goes(parse(none))).toMatchObject([{ name: 'sandbox', sandbox: 'http://127.0.0.1:4010/mailtrap' }]);
  expect(parse('destinations: {}').destinations).toEqual([]);
  expect(parse('', {}, 'production').destinations).toEqual([]);
});

test('another address of the sandbox comes from the environment, and is on this machine', () => {
  const at = (url: string): Config => parse('destinations: { postbox: }', { ROLLCALL_SANDBOX_URL: url });
  expect(goes(at('http://localhost:5000/'))).toMatchObject([{ sandbox: 'http://localhost:5000/postbox' }]);
  expect(() => at('https://sandbox.example')).toThrow(/RC_CONFIG_VALUE|ROLLCALL_SANDBOX_URL/);
});

describe('mistakes', () => {
  const codes = (destinations: string): readonly string[] => {
    try {
      parse(destinations);
      return [];
    } catch (error) {
      return (error as { errors: readonly { code: string; place: { path: string } }[] }).errors.map(
        ({ code, place }) => `${code} ${place.path}`,
      );
    }
  };

  test('of what is no secret they stay', () => {
    expect(codes('destinations: { postbox: { token: "${T}", region: "${REGION}" } }')).toEqual([
      'RC_CONFIG_ENV_MISSING destinations.postbox.region',
    ]);
    expect(codes('destinations: { postbox: { token: "${T}", sandbox: false } }')).toEqual([
      'RC_CONFIG_ENV_MISSING destinations.postbox.token',
    ]);
    expect(codes('destinations: { postbox: { tokn: x } }')).toEqual([
      'RC_CONFIG_UNKNOWN_KEY destinations.postbox.tokn',
    ]);
  });

  test('sandbox is true or false', () => {
    expect(codes('destinations: { postbox: { sandbox: maybe } }')).toEqual([
      'RC_CONFIG_TYPE destinations.postbox.sandbox',
    ]);
  });
});

test('where it goes is part of what was applied', () => {
  const hash = (text: string): string => parse(text).hash;
  expect(hash('destinations: { postbox: }')).not.toBe(
    hash('destinations: { postbox: { token: "12345678", sandbox: false } }'),
  );
  expect(
    parseWith('environment: development\nconnectors: { supabase: { sync: { users: true } } }').destinations,
  ).toEqual([]);
});
