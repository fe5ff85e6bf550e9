import { asMap, checkKeys, readChoice, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath } from './tree.ts';
import type { Config } from './types.ts';

/** What `capture` can say. */
export const CAPTURES: readonly Config['capture'][] = ['triggers', 'wal'];
/** The keys of `wal`. */
export const WAL_KEYS: readonly string[] = ['warn', 'keep'];
/** What a size looks like, as a pattern. */
export const SIZE: string = '^[1-9][0-9]{0,5} ?(MB|GB)$';

const MB = 1_048_576;
// A quarter of what Supabase lets a slot keep (max_slot_wal_keep_size, 4 GB).
const DEFAULT = { warnBytes: 512 * MB, keepBytes: 1_024 * MB };

/** Reads `capture`. */
export function readCapture(entry: Entry | undefined, issues: Issues): Config['capture'] {
  return readChoice(entry, CAPTURES, issues) ?? 'triggers';
}

/** Reads `wal`. */
export function readWal(entry: Entry | undefined, capture: Entry | undefined, issues: Issues): Config['wal'] {
  const map = asMap(entry?.value, issues, 'a map with warn and keep');
  if (map === undefined || entry === undefined) return DEFAULT;
  checkKeys(map, WAL_KEYS, issues);
  if (capture?.value.kind !== 'scalar' || capture.value.value !== 'wal') {
    issues.warn('RC_WARN_WAL_NOT_USED', 'wal has no effect without capture: wal', entry);
  }
  const keepBytes = readSize(map.entries.get('keep'), issues) ?? DEFAULT.keepBytes;
  const warnBytes = readSize(map.entries.get('warn'), issues) ?? Math.min(DEFAULT.warnBytes, keepBytes / 2);
  if (warnBytes > keepBytes) {
    const spot = map.entries.get('warn')?.value ?? entry.value;
    issues.error(
      'RC_CONFIG_VALUE',
      '"wal.warn" is more than "wal.keep"',
      spot,
      'It is told first, and given up later.',
    );
  }
  return { warnBytes, keepBytes };
}

function readSize(entry: Entry | undefined, issues: Issues): number | undefined {
  const wanted = 'a size such as 512MB or 1GB';
  const text = readText(entry, issues, wanted);
  if (text === undefined || entry === undefined) return undefined;
  const size = text.trim();
  if (new RegExp(SIZE).test(size)) return Number.parseInt(size, 10) * (size.endsWith('GB') ? 1_024 * MB : MB);
  issues.error('RC_CONFIG_VALUE', `${quote(formatPath(entry.path))} must be ${wanted}`, entry.value);
  return undefined;
}
