import { asMap, checkKeys, readText } from './fields.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import { readCount } from './read-count.ts';
import { type Entry, formatPath } from './tree.ts';
import type { Brake, Config } from './types.ts';

/** The keys of `brakes`. */
export const BRAKE_KINDS: readonly ['deletes', 'changes'] = ['deletes', 'changes'];
/** The keys of each. */
export const BRAKE_KEYS: readonly string[] = ['share', 'least'];

const DEFAULTS = { deletes: { share: 0.02, least: 10 }, changes: { share: 0.2, least: 100 } } as const;

/** Reads `brakes:`: `off`, or for each kind what stops it. Both hold unless it says otherwise. */
export function readBrakes(entry: Entry | undefined, issues: Issues): Config['brakes'] {
  if (isOff(entry)) return { deletes: 'off', changes: 'off' };
  const map = asMap(entry?.value, issues, 'off, or a map with deletes and changes');
  if (map === undefined) return DEFAULTS;
  checkKeys(map, BRAKE_KINDS, issues);
  const read = (kind: 'deletes' | 'changes'): Brake => readBrake(map.entries.get(kind), DEFAULTS[kind], issues);
  return { deletes: read('deletes'), changes: read('changes') };
}

function readBrake(entry: Entry | undefined, fallback: Exclude<Brake, 'off'>, issues: Issues): Brake {
  if (isOff(entry)) return 'off';
  const map = asMap(entry?.value, issues, 'off, or a map with share and least');
  if (map === undefined) return fallback;
  checkKeys(map, BRAKE_KEYS, issues);
  return {
    share: readShare(map.entries.get('share'), fallback.share, issues),
    least: readCount(map.entries.get('least'), fallback.least, issues),
  };
}

/** YAML 1.2 reads `off` as a text. */
function isOff(entry: Entry | undefined): boolean {
  return entry?.value.kind === 'scalar' && entry.value.value === 'off';
}

function readShare(entry: Entry | undefined, fallback: number, issues: Issues): number {
  const wanted = 'a share such as 2% or 0.5%';
  const text = readText(entry, issues, wanted);
  if (text === undefined || entry === undefined) return fallback;
  const percent = /^\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*$/.exec(text)?.[1];
  // By its digits: 2.3 / 100 is not quite 0.023.
  const share = percent === undefined ? Number.NaN : Number(`${percent}e-2`);
  if (share > 0 && share <= 1) return share;
  const message = `${quote(formatPath(entry.path))} must be ${wanted}, more than nothing and at most 100%`;
  issues.error('RC_CONFIG_VALUE', message, entry.value);
  return fallback;
}
