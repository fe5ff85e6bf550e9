import { databaseError } from '../cli/database-error.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { failureOf } from '../core/failure.ts';
import type { Send } from '../engine/ports.ts';
import { configured, type Registry } from '../homes/configured.ts';
import { resolveOptions } from '../homes/resolve-options.ts';
import { checkInstall } from '../homes/routes.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, in a few words. */
  readonly says: string;
  /** What to do; absent when all is well. */
  readonly fix?: string | undefined;
}

/** What a check of the connector looks at. */
export interface CheckSubject {
  readonly config: Config;
  readonly registry: Registry;
  readonly send: Send;
  /** Opens the database; undefined where the config has none. */
  readonly database: () => Promise<Sql | undefined>;
  /** The project's API; undefined where it is not known. */
  readonly project: { readonly url: string; readonly key: string; readonly fetch: typeof fetch } | undefined;
}

/** Looks whether everything that is configured can be reached and used. Never throws for what it finds. */
export type CheckConnector = (subject: CheckSubject) => Promise<readonly Check[]>;

const DEADLINE_MS = 10_000;

/** The project's API and Auth, the database, the install, and each destination's own probe. */
export const checkSupabase: CheckConnector = async (subject) => {
  const { config, project } = subject;
  const api =
    project === undefined
      ? []
      : [checkPath('API', '/rest/v1/', project), checkPath('Auth', '/auth/v1/settings', project)];
  const database = await checkDatabase(subject);
  const destinations = config.destinations.map(({ name }) => checkDestination(name, subject));
  return [...(await Promise.all(api)), ...database, ...(await Promise.all(destinations))];
};

async function checkPath(
  name: string,
  path: string,
  { url, key, fetch }: NonNullable<CheckSubject['project']>,
): Promise<Check> {
  const fix = 'Check SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY (dashboard, Settings, API Keys).';
  try {
    const answer = await fetch(url.replace(/\/+$/, '') + path, {
      headers: { apikey: key, authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await answer.body?.cancel();
    return answer.ok
      ? { name, ok: true, says: 'reachable' }
      : { name, ok: false, says: `answers with ${answer.status}`, fix };
  } catch {
    return { name, ok: false, says: 'no answer', fix };
  }
}

async function checkDatabase({ config, database }: CheckSubject): Promise<readonly Check[]> {
  const failed = (name: string, error: unknown): Check => {
    const known = databaseError(error);
    if (known === undefined) throw error;
    return { name, ok: false, says: known.message, fix: known.hint };
  };
  let sql: Sql | undefined;
  try {
    sql = await database();
  } catch (error) {
    return [failed('database', error)];
  }
  if (sql === undefined) {
    return [{ name: 'database', ok: false, says: 'no database URL', fix: 'Set DATABASE_URL (dashboard, Connect).' }];
  }
  const reachable: Check = { name: 'database', ok: true, says: 'reachable' };
  try {
    await checkInstall(sql, identityOf(config));
    return [reachable, { name: 'install', ok: true, says: 'as the config says' }];
  } catch (error) {
    return [reachable, failed('install', error)];
  }
}

async function checkDestination(name: string, { config, registry, send, database }: CheckSubject): Promise<Check> {
  const found = configured(config, name, registry);
  if (found === undefined) throw new TypeError(`the config names no destination ${name}`);
  const { destination, entry } = found;
  try {
    const sql = entry.vault === undefined ? undefined : await database();
    const options = sql === undefined ? entry.options : await resolveOptions(entry, sql, registry);
    const request = destination.probe(options);
    if (request === null) return { name, ok: true, says: "can't be asked" };
    const answer = await send(request, destination.auth(options), { deadlineMs: DEADLINE_MS });
    if (!answer.answered) {
      const says = answer.outcome.kind === 'delivered' ? 'no answer' : answer.outcome.message;
      return { name, ok: false, says, fix: 'Check the network, and the base URL if there is one.' };
    }
    const failure = failureOf(answer.response, { name: destination.name, words: () => '' });
    if (failure === undefined) return { name, ok: true, says: 'the key is accepted' };
    return {
      name,
      ok: false,
      says: `answers with ${answer.response.status}`,
      fix: `Check the key at ${destination.name}, and what it may do.`,
    };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    return { name, ok: false, says: error.message, fix: error.hint };
  }
}
