import { keyKind } from '../core/project-key.ts';
import { readDuration, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { type Entry, isNothing, type MapNode } from './tree.ts';
import type { ApiSource, DestinationConfig } from './types.ts';

/** Where the files of the embedded Postgres are, from the folder of the config. */
const STATE_FOLDER = '.rollcall/state';
const DEFAULT_POLL_MS = 15_000;

/** What `connectors.supabase` says of a project that is read by its API alone. */
export interface ApiKeys {
  /** The two keys that make it possible, both written in the file. */
  readonly projectUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly state: Entry | undefined;
  readonly poll: Entry | undefined;
  readonly realtime: boolean;
}

/**
 * How the project is read where no database URL is known: by its API, when the file names its URL and key. A variable that is not set
 * must not change where everything is kept, so what the environment alone knows of does not count.
 * @returns undefined where it is read by its database
 */
export function readApi(
  { projectUrl, apiKey, state, poll, realtime }: ApiKeys,
  databaseUrl: string | undefined,
  issues: Issues,
): ApiSource | undefined {
  const where = readState(state, issues);
  const pollMs = readDuration(poll, DEFAULT_POLL_MS, issues);
  if (databaseUrl !== undefined) {
    for (const entry of [state, poll]) {
      if (entry === undefined) continue;
      const message = `${entry.key} has no effect: with a database URL the project is read by its database`;
      issues.warn('RC_WARN_API_NOT_USED', message, entry);
    }
    return undefined;
  }
  if (projectUrl === undefined || apiKey === undefined) {
    if (state !== undefined) {
      const hint = 'Write them both under connectors.supabase, for example api_key: "${SUPABASE_SECRET_KEY}".';
      issues.error('RC_CONFIG_VALUE', 'state needs project_url and api_key beside it', state, hint);
    }
    return undefined;
  }
  return { projectUrl, apiKey, ...where, named: state !== undefined, realtime, pollMs };
}

/** Reports what cannot be had with keys alone: a key that Row Level Security applies to, and what is written into the project's database. */
export function checkApiKeys(
  { apiKey }: ApiSource,
  root: MapNode,
  destinations: readonly DestinationConfig[],
  issues: Issues,
): void {
  const spot = { at: root.at, path: ['connectors', 'supabase', 'api_key'] };
  if (keyKind(apiKey) === 'publishable') {
    const message = 'api_key is one that Row Level Security applies to: it sees what everybody may see, and no users';
    const hint = 'Take a secret key (sb_secret_...) or the service_role key, from Settings, API Keys.';
    issues.error('RC_API_KEY_PUBLIC', message, spot, hint);
  }
  const needs = (entry: Entry, why: string, what = entry.key): void => {
    const message = `${what} needs the project's database: with API keys alone ${why}`;
    issues.error('RC_API_NEEDS_DATABASE', message, entry, 'Set database_url, or take it out.');
  };
  for (const key of ['write_back', 'consent_readers']) {
    const entry = root.entries.get(key);
    if (entry !== undefined && !isNothing(entry.value)) needs(entry, 'nothing is written there');
  }
  const capture = root.entries.get('capture');
  if (capture?.value.kind === 'scalar' && capture.value.value === 'wal')
    needs(capture, 'nobody reads its log', 'capture: wal');
  for (const { name, vault } of destinations) {
    for (const { line, column, path } of vault?.places ?? []) {
      const message = "a secret in Vault needs the project's database: with API keys alone nobody can read it";
      const place = { at: { line, column }, path: ['destinations', name, ...path] };
      issues.error('RC_API_NEEDS_DATABASE', message, place, 'Take it from a variable: "${NAME}". Or set database_url.');
    }
  }
}

function readState(entry: Entry | undefined, issues: Issues): Pick<ApiSource, 'stateUrl' | 'stateFolder'> {
  const text = readText(entry, issues, 'embedded or a postgres:// URL');
  if (text === undefined || entry === undefined || text === 'embedded')
    return { stateUrl: undefined, stateFolder: STATE_FOLDER };
  if (!/^postgres(?:ql)?:\/\/./.test(text)) {
    const hint = 'A URL is that of any Postgres of yours which is not the project.';
    issues.error('RC_CONFIG_VALUE', 'state is embedded, or a postgres:// URL', entry.value, hint);
  }
  return { stateUrl: text, stateFolder: undefined };
}
