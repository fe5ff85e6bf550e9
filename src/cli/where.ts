import { dirname, join } from 'node:path';
import type { Config } from '../config/types.ts';
import { requireDatabaseUrl } from '../sql/open-database.ts';

/**
 * Where the state of a config is, as it may be shown.
 * @throws RollcallError `RC_DATABASE_URL`
 */
export function whereOf(config: Config): string {
  const { api } = config;
  if (api === undefined) return whereIs(requireDatabaseUrl(config));
  const state = api.stateUrl === undefined ? join(dirname(config.file), api.stateFolder ?? '') : whereIs(api.stateUrl);
  return `${state}, for ${new URL(api.projectUrl).host} by its API`;
}

/** A database as it may be shown: `host/name`, without user, password and parameters. */
export function whereIs(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  return `${url.host}${decodeURIComponent(url.pathname)}`;
}
