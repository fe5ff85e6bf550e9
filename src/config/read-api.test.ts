import { expect, test } from 'vitest';
import { registry } from '../destinations/registry.ts';
import type { Env } from './interpolate.ts';
import { parseConfig } from './load.ts';
import type { Config } from './types.ts';

const load = (connector: string, more = '', env: Env = {}): Config =>
  parseConfig(`connectors: { supabase: { ${connector} } }\n${more}`, { file: 'rollcall.yaml', env, registry });

const problems = (connector: string, more = ''): readonly string[] => {
  try {
    load(connector, more);
    return [];
  } catch (error) {
    return (error as { errors: readonly { code: string }[] }).errors.map(({ code }) => code);
  }
};

const KEYS = 'project_url: "https://abc.supabase.co", api_key: sb_secret_x';

test('read by the API: where the file has both, and nobody knows a database URL', () => {
  expect(load(KEYS).api).toEqual({
    projectUrl: 'https://abc.supabase.co',
    apiKey: 'sb_secret_x',
    stateUrl: undefined,
    stateFolder: '.rollcall/state',
    named: false,
    realtime: false,
    pollMs: 15_000,
  });
  const own = load(`${KEYS}, state: "postgres://u@h/db", poll: 1m, sync: { realtime: true }`);
  expect(own).toMatchObject({ databaseUrl: 'postgres://u@h/db', api: { named: true, realtime: true, pollMs: 60_000 } });
  expect(own.warnings).toEqual([]);
  // A variable that is not set must not change where everything is kept.
  const env = { SUPABASE_URL: 'https://abc.supabase.co', SUPABASE_SECRET_KEY: 'sb_secret_x' };
  expect(load('enabled: true', '', env).api).toBeUndefined();
  const both = load(`${KEYS}, state: embedded, sync: { realtime: true }`, '', { DATABASE_URL: 'postgres://u@h/db' });
  expect(both.api).toBeUndefined();
  expect(both.warnings.map(({ code }) => code)).toEqual(['RC_WARN_API_NOT_USED', 'RC_WARN_REALTIME_NOT_USED']);
});

test('what cannot be with keys alone is refused before any request', () => {
  expect(problems('project_url: "https://abc.supabase.co", api_key: sb_publishable_x')).toEqual(['RC_API_KEY_PUBLIC']);
  expect(problems('state: embedded')).toEqual(['RC_CONFIG_VALUE']);
  expect(problems(`${KEYS}, state: "mysql://h"`)).toEqual(['RC_CONFIG_VALUE']);
  expect(problems(KEYS, 'consent_readers: [authenticated]')).toEqual(['RC_API_NEEDS_DATABASE']);
  expect(problems(KEYS, 'capture: wal')).toEqual(['RC_API_NEEDS_DATABASE']);
  expect(problems(KEYS, 'capture: triggers')).toEqual([]);
});
