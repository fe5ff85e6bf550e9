import { asMap, checkKeys, readDuration, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readCount } from './read-count.ts';
import { type Entry, formatPath, isNothing, type MapNode } from './tree.ts';
import type { AlertConfig } from './types.ts';

/** The keys of `alerts`. */
export const ALERT_KEYS: readonly string[] = ['url', 'secret', 'stuck_after', 'failed', 'drift'];
/** What holds where the config says nothing. */
export const ALERT_DEFAULTS: Pick<AlertConfig, 'stuckMs' | 'failed' | 'drift'> = {
  stuckMs: 600_000,
  failed: 10,
  drift: 100,
};

/** Reads `alerts:`; undefined when there is none, or when it is wrong (which is reported). */
export function readAlerts(entry: Entry | undefined, issues: Issues): AlertConfig | undefined {
  const map = asMap(entry?.value, issues);
  if (map === undefined) return undefined;
  checkKeys(map, ALERT_KEYS, issues);
  const url = readUrl(map.entries.get('url'), issues);
  const secret = readSecret(map.entries.get('secret'), issues);
  for (const key of ['url', 'secret']) {
    if (!isThere(map, key)) issues.error('RC_CONFIG_MISSING', `alerts needs ${quote(key)}`, map, NEEDED);
  }
  const stuckMs = readDuration(map.entries.get('stuck_after'), ALERT_DEFAULTS.stuckMs, issues);
  const failed = readCount(map.entries.get('failed'), ALERT_DEFAULTS.failed, issues);
  const drift = readCount(map.entries.get('drift'), ALERT_DEFAULTS.drift, issues);
  return url === undefined || secret === undefined ? undefined : { url, secret, stuckMs, failed, drift };
}

const NEEDED =
  'An https address that takes messages, and the secret that signs them: whsec_ and 24 to 64 bytes in base64.';

function isThere(map: MapNode, key: string): boolean {
  const entry = map.entries.get(key);
  return entry !== undefined && !isNothing(entry.value);
}

/** Https, or http to this machine. What it holds beyond the host may be a secret, so it is never shown. */
function readUrl(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, 'a URL');
  if (text === undefined || entry === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const usable = url?.protocol === 'https:' || (url?.protocol === 'http:' && local);
  if (url !== undefined && usable && url.username === '' && url.password === '') return text;
  const message = `${quote(formatPath(entry.path))} must be an https:// address without a user`;
  issues.error('RC_CONFIG_VALUE', message, entry.value);
  return undefined;
}

/** Standard Webhooks 1.0.0, "Signature scheme": 24 to 64 random bytes. */
function readSecret(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, 'a secret');
  if (text === undefined || entry === undefined) return undefined;
  const base64 = text.replace(/^whsec_/, '');
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64').length : 0;
  if (bytes >= 24 && bytes <= 64) return text;
  const message = `${quote(formatPath(entry.path))} must be whsec_ and 24 to 64 bytes in base64`;
  issues.error(
    'RC_CONFIG_VALUE',
    message,
    entry.value,
    'For example whsec_ before the output of `openssl rand -base64 32`.',
  );
  return undefined;
}
