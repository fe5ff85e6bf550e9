import type { Adjustment, AttributeMapping, AttributeType, Condition, Retype } from '../core/mapping.ts';
import { ADJUSTMENT_KEYS } from './destination-keys.ts';
import { asMap, checkKeys, readChoice, readItem, readText, showText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import { ATTRIBUTE_TYPES, checkName } from './read-targets.ts';
import { readCondition } from './read-watch.ts';
import { suggestion } from './suggest.ts';
import { isAddress } from './target-names.ts';
import { type Entry, formatPath, isNothing, type MapNode } from './tree.ts';

interface Mapping {
  readonly attributes: readonly AttributeMapping[];
}

/** The names of all attributes that the mapping makes, each once. */
export function attributeNames(users: Mapping, tables: readonly Mapping[]): readonly string[] {
  return [...new Set([...tables, users].flatMap(({ attributes }) => attributes.map(({ name }) => name)))];
}

/**
 * `attributes` and `where` of a destination: how its contacts differ from what the mapping makes of people. Mistakes go to
 * `issues`.
 * @param names of all mapped attributes; undefined while the mapping itself is wrong: then no name is one
 * @returns undefined where nothing differs
 */
export function readAdjustment(
  destination: MapNode,
  names: readonly string[] | undefined,
  issues: Issues,
): Adjustment | undefined {
  const where = readCondition(destination.entries.get('where'), issues);
  const map = asMap(destination.entries.get('attributes')?.value, issues, `a map of ${ADJUSTMENT_KEYS.join(', ')}`);
  if (map === undefined) return where && { only: undefined, drop: [], rename: {}, retype: [], where };
  checkKeys(map, ADJUSTMENT_KEYS, issues);
  return new Reader(map, names, issues).read(where);
}

/** One `attributes` of a destination. */
class Reader {
  readonly #map: MapNode;
  readonly #names: readonly string[] | undefined;
  readonly #issues: Issues;

  constructor(map: MapNode, names: readonly string[] | undefined, issues: Issues) {
    this.#map = map;
    this.#names = names;
    this.#issues = issues;
  }

  read(where: Condition | undefined): Adjustment | undefined {
    const only = this.#list('only');
    const drop = this.#list('drop') ?? [];
    const goes = (name: string): boolean => only?.includes(name) !== false && !drop.includes(name);
    const rename = this.#rename(goes);
    const retype = this.#retype(goes);
    const same = only === undefined && drop.length === 0 && rename.size === 0 && retype.length === 0;
    if (same && where === undefined) return undefined;
    return { only, drop, rename: Object.fromEntries(rename), retype, where };
  }

  /** Attributes that are listed; undefined when nothing is said. */
  #list(key: string): readonly string[] | undefined {
    const entry = this.#map.entries.get(key);
    if (entry === undefined || isNothing(entry.value)) return undefined;
    if (entry.value.kind !== 'list') {
      wrongType(entry.value, 'a list of attributes', this.#issues);
      return undefined;
    }
    const found = new Set<string>();
    for (const item of entry.value.items) {
      const name = readItem(item, 'the name of an attribute', this.#issues);
      if (name !== undefined && this.#isKnown(name, showText(name, item), item)) found.add(name);
    }
    return [...found];
  }

  #isKnown(name: string, shown: string, spot: Spot): boolean {
    if (this.#names === undefined || this.#names.includes(name)) return true;
    const hint = shown === quote(name) ? suggestion(name, this.#names) : `Known here: ${this.#names.join(', ')}.`;
    this.#issues.error('RC_CONFIG_ATTRIBUTE', `no attribute ${shown} is mapped`, spot, hint);
    return false;
  }

  /** The entries of a map by attribute, each of one that goes there. */
  #entries(key: string, wanted: string, goes: (name: string) => boolean): readonly Entry[] {
    const map = asMap(this.#map.entries.get(key)?.value, this.#issues, wanted);
    return [...(map?.entries.values() ?? [])].filter((entry) => {
      if (!this.#isKnown(entry.key, quote(entry.key), entry)) return false;
      if (goes(entry.key)) return true;
      const message = `the attribute ${quote(entry.key)} is left out here, so ${key} has nothing to change`;
      this.#issues.error('RC_CONFIG_ATTRIBUTE', message, entry, 'Take it out here, or let it go there.');
      return false;
    });
  }

  #rename(goes: (name: string) => boolean): ReadonlyMap<string, string> {
    const renamed = new Map<string, string>();
    const places = new Map<string, Entry>();
    for (const entry of this.#entries('rename', 'a map of attributes to their names there', goes)) {
      const to = this.#newName(entry);
      if (to === undefined || to === entry.key) continue;
      renamed.set(entry.key, to);
      places.set(entry.key, entry);
    }
    const taken = new Map<string, string>();
    const staying = (this.#names ?? []).filter((name) => goes(name) && !renamed.has(name));
    for (const name of [...staying, ...renamed.keys()]) {
      const there = renamed.get(name) ?? name;
      const first = taken.get(there);
      const place = places.get(name);
      if (first === undefined || place === undefined) taken.set(there, name);
      else this.#twice(first, name, place);
    }
    return renamed;
  }

  #twice(first: string, second: string, { value }: Entry): void {
    const message = `the attributes ${quote(first)} and ${quote(second)} would have one name there`;
    const hint = 'Give one of the two another name, or drop it.';
    this.#issues.error('RC_CONFIG_DUPLICATE_TARGET', message, value, hint);
  }

  #newName(entry: Entry): string | undefined {
    if (isNothing(entry.value)) {
      this.#issues.error('RC_CONFIG_MISSING', `the new name of ${quote(entry.key)} is missing`, entry);
      return undefined;
    }
    const to = readText(entry, this.#issues, 'the name it has there');
    if (to === undefined) return undefined;
    if (!isAddress(to)) return checkName(to, entry.value, this.#issues, 'an attribute');
    const message = `${quote(formatPath(entry.path))} can't be email: that is the address of the contact`;
    this.#issues.error('RC_CONFIG_VALUE', message, entry.value, 'Take another name.');
    return undefined;
  }

  #retype(goes: (name: string) => boolean): readonly Retype[] {
    return this.#entries('retype', 'a map of attributes to their types there', goes).flatMap((entry) => {
      const type: AttributeType | undefined = readChoice(entry, ATTRIBUTE_TYPES, this.#issues);
      return type === undefined ? [] : [{ name: entry.key, type, path: formatPath(entry.path), ...entry.value.at }];
    });
  }
}
