import { SYSTEM_EVENTS, type SystemEvent, type SystemEventType } from '../core/mapping.ts';
import { FILE_SCOPE, USER_SCOPE } from './column-scope.ts';
import { checkKeys, isYesNo, readItem, showText, wrongType } from './fields.ts';
import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';
import { readEventName } from './read-event-table.ts';
import { readProperties } from './read-properties.ts';
import { checkName } from './read-targets.ts';
import { readCondition } from './read-watch.ts';
import { suggestion } from './suggest.ts';
import { type Entry, formatPath, isNothing, type TreeNode } from './tree.ts';

/** Other names of an event: that of the Tajo connector's webhook. */
const ALIASES: ReadonlyMap<string, SystemEventType> = new Map([['auth.user.created', 'user.signed_up']]);
/** What an event can be called in the config. */
export const SYSTEM_EVENT_NAMES: readonly string[] = [...SYSTEM_EVENTS, ...ALIASES.keys()];
/** The options of an event. */
export const SYSTEM_EVENT_KEYS: readonly string[] = ['event_name', 'properties', 'when'];

const VALUE_HINT = 'Write true, a name for it, or {event_name: …, properties: {…}, when: "…"}.';

/**
 * Reads `events:`, a list of events of Auth and Storage or a map of them to their options, and adds the events of files that
 * `sync.storage` (at `storage`) asks for and `events` does not name. Mistakes go to `issues`.
 */
export function readSystemEvents(
  entry: Entry | undefined,
  storage: Spot | undefined,
  issues: Issues,
): readonly SystemEvent[] {
  const taken = new Map<SystemEventType, Spot>();
  const events = entry === undefined ? [] : readSection(entry.value, taken, issues);
  if (storage === undefined) return events;
  const files = SYSTEM_EVENTS.filter((type) => isFileEvent(type) && !taken.has(type));
  return [...events, ...files.map((type) => plainEvent(type, type, storage))];
}

function readSection(node: TreeNode, taken: Map<SystemEventType, Spot>, issues: Issues): readonly SystemEvent[] {
  if (isNothing(node)) return [];
  if (node.kind === 'list') {
    return node.items.flatMap((item) => {
      const written = readItem(item, 'the name of an event', issues);
      const type = written === undefined ? undefined : takeType(written, item, item, taken, issues);
      return written === undefined || type === undefined ? [] : [plainEvent(type, written, item)];
    });
  }
  if (node.kind !== 'map') {
    wrongType(node, 'a map or a list of events', issues, `Known here: ${SYSTEM_EVENT_NAMES.join(', ')}.`);
    return [];
  }
  return [...node.entries.values()].flatMap((entry) => {
    const type = takeType(entry.key, entry, undefined, taken, issues);
    return type === undefined ? [] : (readEvent(type, entry, issues) ?? []);
  });
}

/** The event of a name, once; `node` is the value it is written as, if it is no key. */
function takeType(
  written: string,
  spot: Spot,
  node: TreeNode | undefined,
  taken: Map<SystemEventType, Spot>,
  issues: Issues,
): SystemEventType | undefined {
  const type = SYSTEM_EVENTS.find((known) => known === written) ?? ALIASES.get(written);
  const shown = showText(written, node);
  if (type === undefined) {
    const hint = node !== undefined && shown !== quote(written) ? undefined : suggestion(written, SYSTEM_EVENT_NAMES);
    issues.error('RC_CONFIG_EVENT_UNKNOWN', `there is no event ${shown}`, spot, hint);
    return undefined;
  }
  const first = taken.get(type);
  if (first === undefined) {
    taken.set(type, spot);
    return type;
  }
  const message = `the event ${shown} stands here twice: first at ${first.at.line}:${first.at.column}`;
  issues.error('RC_CONFIG_DUPLICATE_EVENT', message, spot, 'Keep one of the two.');
  return undefined;
}

function isFileEvent(type: SystemEventType): boolean {
  return type.startsWith('storage.');
}

function plainEvent(type: SystemEventType, name: string, { at, path }: Spot): SystemEvent {
  return { type, name, properties: undefined, when: undefined, path: formatPath(path), ...at };
}

/** One event with its options; undefined when it is switched off or wrong. */
function readEvent(type: SystemEventType, entry: Entry, issues: Issues): SystemEvent | undefined {
  const { value } = entry;
  if (isNothing(value)) {
    issues.error('RC_CONFIG_MISSING', `${quote(entry.key)} says nothing`, entry, VALUE_HINT);
    return undefined;
  }
  if (value.kind === 'map') {
    checkKeys(value, SYSTEM_EVENT_KEYS, issues);
    const scope = isFileEvent(type) ? FILE_SCOPE : USER_SCOPE;
    return {
      ...plainEvent(type, readEventName(value.entries.get('event_name'), issues) ?? entry.key, entry),
      properties: readProperties(value.entries.get('properties'), scope, issues),
      when: readCondition(value.entries.get('when'), issues),
    };
  }
  const flag = value.kind === 'scalar' && (value.fromEnv ? asFlag(value.value) : value.value);
  if (flag === true) return plainEvent(type, entry.key, entry);
  if (flag === false && value.kind === 'scalar') return undefined;
  if (typeof flag !== 'string' || isYesNo(value)) {
    wrongType(value, 'true, false, the name of the event or a map', issues, VALUE_HINT);
    return undefined;
  }
  const name = checkName(flag, value, issues, 'an event');
  return name === undefined ? undefined : plainEvent(type, name, entry);
}

/** Truth values of the environment are words. */
function asFlag(value: unknown): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value;
}
