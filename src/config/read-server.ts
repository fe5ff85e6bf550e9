import { asMap, checkKeys, readText } from './fields.ts';
import type { Env } from './interpolate.ts';
import type { Issues } from './issues.ts';
import type { Entry } from './tree.ts';
import type { Config } from './types.ts';

/** Shorter tokens can be guessed. */
export const LEAST_TOKEN = 16;

/** Reads `server:`. The token of the file, else `METRICS_TOKEN` of the environment. */
export function readServer(entry: Entry | undefined, env: Env, issues: Issues): Config['server'] {
  const map = asMap(entry?.value, issues);
  if (map !== undefined) checkKeys(map, ['metrics_token'], issues);
  const field = map?.entries.get('metrics_token');
  const token = readText(field, issues);
  const metricsToken = field === undefined ? env['METRICS_TOKEN'] || undefined : token;
  if (metricsToken === undefined || isToken(metricsToken)) return { metricsToken };
  const rule = `must have at least ${LEAST_TOKEN} characters, letters, digits and -._~+/= alone`;
  if (field !== undefined) {
    const hint = 'For example the output of `openssl rand -hex 24`.';
    issues.error('RC_CONFIG_VALUE', `"server.metrics_token" ${rule}`, field.value, hint);
  } else {
    // The variable may be there for another program.
    const spot = entry ?? { at: { line: 1, column: 1 }, path: ['server'] };
    issues.warn('RC_WARN_METRICS_TOKEN', `METRICS_TOKEN is not used, so there is no GET /metrics: it ${rule}`, spot);
  }
  return { metricsToken: undefined };
}

/** What a bearer token may hold (RFC 6750, section 2.1). */
function isToken(text: string): boolean {
  return text.length >= LEAST_TOKEN && /^[\w.~+/=-]+$/.test(text);
}
