import { asMap, checkKeys, readFlag, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath } from './tree.ts';
import type { Config } from './types.ts';

/** The keys of `erasure`. */
export const ERASURE_KEYS: readonly string[] = ['key', 'on_user_deleted', 'export', 'export_token'];
/** Shorter keys can be guessed, and with the key whoever has a list of addresses knows who was erased. */
export const LEAST_KEY = 32;

const NONE: Config['erasure'] = { key: undefined, onUserDeleted: false, export: undefined, exportToken: undefined };

/** Reads `erasure:`; what is absent is off. */
export function readErasure(entry: Entry | undefined, issues: Issues): Config['erasure'] {
  const map = asMap(entry?.value, issues);
  if (map === undefined) return NONE;
  checkKeys(map, ERASURE_KEYS, issues);
  const target = readTarget(map.entries.get('export'), issues);
  const exportToken = readText(map.entries.get('export_token'), issues);
  if (exportToken !== undefined && !isUrl(target)) {
    const message = '"erasure.export_token" goes with an https:// address as "erasure.export"';
    issues.error('RC_CONFIG_VALUE', message, map.entries.get('export_token') ?? map);
  }
  return {
    key: readKey(map.entries.get('key'), issues),
    onUserDeleted: readFlag(map.entries.get('on_user_deleted'), false, issues),
    export: target,
    exportToken,
  };
}

function readKey(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, 'a secret');
  if (text === undefined || entry === undefined || text.length >= LEAST_KEY) return text;
  const hint = 'For example the output of `openssl rand -base64 32`, and never another one after that.';
  issues.error(
    'RC_CONFIG_VALUE',
    `${quote(formatPath(entry.path))} must have at least ${LEAST_KEY} characters`,
    entry.value,
    hint,
  );
  return undefined;
}

/** A path, or an https address (http to this machine). What an address holds beyond the host may be a secret, so it is never shown. */
function readTarget(entry: Entry | undefined, issues: Issues): string | undefined {
  const text = readText(entry, issues, 'a path or an https:// address');
  if (text === undefined || entry === undefined || !/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url !== undefined && url.username === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && local)))
    return text;
  const message = `${quote(formatPath(entry.path))} must be a path, or an https:// address without a user`;
  issues.error('RC_CONFIG_VALUE', message, entry.value);
  return undefined;
}

/** Whether what outlives a restore is kept behind an address, and not in a file. */
export function isUrl(target: string | undefined): boolean {
  return target !== undefined && /^https?:\/\//i.test(target);
}
