import type { Env } from '../../config/interpolate.ts';
import type { Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import type { Send } from '../../engine/ports.ts';
import { pause } from '../../engine/wake.ts';
import { type Line, lookAtDelivery, lookAtProject, skipped } from './look.ts';
import type { Project } from './project.ts';

/** Where the Management API is, but for whoever says otherwise. */
const MANAGEMENT = 'https://api.supabase.com';

const NO_URL = 'Set project_url under connectors.supabase, or SUPABASE_URL.';
const NO_KEY = 'Set api_key under connectors.supabase, or SUPABASE_SECRET_KEY: a secret key from Settings, API Keys.';

/** What is asked. */
export interface Asked {
  readonly config: Config;
  /** `SUPABASE_ACCESS_TOKEN`, with which functions are counted. */
  readonly env: Env;
  readonly send: Send;
  /** The database and the destinations too. */
  readonly whole: boolean;
}

/**
 * Asks everything a delivery needs, and says what came of it.
 * @param onStep told what is looked at next
 * @throws RollcallError `RC_PROJECT_UNKNOWN` where nothing but the project is asked and the config names none
 */
export async function readLines(
  { config, env, send, whole }: Asked,
  onStep: (area: string) => void = () => undefined,
): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const watching = { onStep, onLine: (line: Line): void => void lines.push(line) };
  const project = projectOf(config, env, send);
  if ('missing' in project) {
    const { missing, hint } = project;
    if (!whole) throw new RollcallError('RC_PROJECT_UNKNOWN', `The config names no ${missing}.`, { hint });
    lines.push(skipped('API', `The project's API was not asked, as the config names no ${missing}. ${hint}`));
  } else await lookAtProject(project, watching);
  if (whole) await lookAtDelivery(config, send, (ms) => pause(ms), watching);
  return lines;
}

/** Whether all is well: what there was nothing to be said of does no harm. */
export function isWell(lines: readonly Line[]): boolean {
  return lines.every(({ state }) => state !== 'failed');
}

function projectOf(
  { projectUrl, apiKey }: Config,
  env: Env,
  send: Send,
): Project | { readonly missing: string; readonly hint: string } {
  if (projectUrl === undefined) return { missing: 'project_url', hint: NO_URL };
  if (apiKey === undefined) return { missing: 'api_key', hint: NO_KEY };
  const token = env['SUPABASE_ACCESS_TOKEN'] ?? '';
  const ref = new URL(projectUrl).hostname.split('.')[0] ?? '';
  const at = (env['SUPABASE_MANAGEMENT_URL'] || MANAGEMENT).replace(/\/+$/, '');
  return {
    url: projectUrl.replace(/\/+$/, ''),
    key: apiKey,
    send,
    management: token === '' ? undefined : { url: at, token, ref },
  };
}
