import { parseConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/types.ts';
import { registry } from '../src/destinations/registry.ts';

/** What differs between the configs of benches. */
export interface BenchOptions {
  /** The destination's id; Mailtrap when absent. */
  readonly to?: string;
  /** The destination's own, as `key: value` with commas between. */
  readonly destination?: string;
  /** Beside the address and FIRSTNAME, lines of `user_mapping`; the time of the sign-up when absent. */
  readonly mapping?: readonly string[];
  /** Lines below `connectors.supabase`, with their own indent from there. */
  readonly supabase?: readonly string[];
  /** Lines of the whole file. */
  readonly more?: readonly string[];
}

/** The text of a config: users of a database, to one destination. */
export function benchYaml(databaseUrl: string, options: BenchOptions = {}): string {
  const {
    to = 'mailtrap',
    destination = 'api_token: bench',
    mapping = ['created_at: SIGNUP_DATE'],
    supabase = [],
    more = [],
  } = options;
  return [
    'environment: bench',
    `database_url: ${databaseUrl}`,
    'connectors:',
    '  supabase:',
    '    user_mapping:',
    ...['unconfirmed: true', 'email: email', 'user_metadata.full_name: FIRSTNAME', ...mapping].map((l) => `      ${l}`),
    ...supabase.map((line) => `    ${line}`),
    `destinations: { ${to}: { ${destination} } }`,
    'consent: { everyone: bench }',
    ...more,
    '',
  ].join('\n');
}

/** @throws ConfigError when the text is no config */
export function parseBench(yaml: string): Config {
  return parseConfig(yaml, { file: 'bench.yaml', env: {}, registry });
}
