import { asMap, checkKeys, readText } from './fields.ts';
import type { Env } from './interpolate.ts';
import type { Issues } from './issues.ts';
import type { Entry } from './tree.ts';
import type { Config } from './types.ts';

/** Shorter tokens can be guessed. */
export const LEAST_TOKEN = 16;

/** Reads `server:`. The tokens of the file, else `METRICS_TOKEN` and `ROLLCALL_HOOK_TOKEN` of the environment. */
export function readServer(entry: Entry | undefined, env: Env, issues: Issues): Config['server'] {
  const map = asMap(entry?.value, issues);
  if (map !== undefined) checkKeys(map, ['metrics_token', 'hook_token'], issues);
  const token = (key: string, variable: string, lost: string): string | undefined => {
    const field = map?.entries.get(key);
    const text = readText(field, issues);
    const found = field === undefined ? env[variable] || undefined : text;
    if (found === undefined || isToken(found)) return found;
    const rule = `must have at least ${LEAST_TOKEN} characters, letters, digits and -._~+/= alone`;
    if (field !== undefined) {
      const hint = 'For example the output of `openssl rand -hex 24`.';
      issues.error('RC_CONFIG_VALUE', `"server.${key}" ${rule}`, field.value, hint);
    } else {
      // The variable may be there for another program.
      const spot = entry ?? { at: { line: 1, column: 1 }, path: ['server'] };
      const code = key === 'hook_token' ? 'RC_WARN_HOOK_TOKEN' : 'RC_WARN_METRICS_TOKEN';
      issues.warn(code, `${variable} is not used, so ${lost}: it ${rule}`, spot);
    }
    return undefined;
  };
  return {
    metricsToken: token('metrics_token', 'METRICS_TOKEN', 'there is no GET /metrics'),
    hookToken: token('hook_token', 'ROLLCALL_HOOK_TOKEN', 'it lets in no Database Webhook'),
  };
}

/** What a bearer token may hold (RFC 6750, section 2.1). */
function isToken(text: string): boolean {
  return text.length >= LEAST_TOKEN && /^[\w.~+/=-]+$/.test(text);
}
