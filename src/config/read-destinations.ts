import type { Destination } from '../core/destination.ts';
import { asMap, readChoice, readText, wrongType } from './fields.ts';
import { GENERIC_KEYS } from './destination-keys.ts';
import type { Issues } from './issues.ts';
import { optionSchema } from './option-schema.ts';
import { locate, plainValue } from './plain-value.ts';
import { quote } from './quote.ts';
import { readAdjustment } from './read-adjustment.ts';
import { readCreateMissing } from './read-create-missing.ts';
import { suggestion } from './suggest.ts';
import { type Entry, isNothing, type MapNode, type ScalarNode } from './tree.ts';
import type { DestinationConfig, LeavingPolicy } from './types.ts';
import { readVaultOptions, vaultNodes } from './read-vault-options.ts';
import { checkOptionKeys, expectsTyped, issuePath, reportZodIssues } from './zod-issues.ts';

/** What `on_delete` can say. */
export const LEAVING_POLICIES: readonly LeavingPolicy[] = ['delete', 'unsubscribe', 'keep'];

// It becomes part of keys in the database and of log fields.
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/**
 * Reads `destinations:`; the options of each are checked by its own schema. Mistakes go to `issues`.
 * @param attributes names of all mapped attributes; undefined while the mapping itself is wrong
 */
export function readDestinations(
  entry: Entry | undefined,
  registry: readonly Destination<unknown>[],
  attributes: readonly string[] | undefined,
  issues: Issues,
): readonly DestinationConfig[] {
  const map = asMap(entry?.value, issues, 'a map of destinations');
  return [...(map?.entries.values() ?? [])]
    .map((item) => readDestination(item, registry, attributes, issues))
    .filter((destination) => destination !== undefined);
}

function readDestination(
  entry: Entry,
  registry: readonly Destination<unknown>[],
  attributes: readonly string[] | undefined,
  issues: Issues,
): DestinationConfig | undefined {
  if (!NAME.test(entry.key)) {
    const hint = 'A letter, then letters, digits, _ and -; at most 63 in all.';
    issues.error('RC_CONFIG_VALUE', `${quote(entry.key)} can't be the name of a destination`, entry, hint);
    return undefined;
  }
  const { value } = entry;
  if (value.kind !== 'map' && !isNothing(value)) {
    wrongType(value, 'a map of options', issues);
    return undefined;
  }
  const map: MapNode =
    value.kind === 'map' ? value : { kind: 'map', entries: new Map(), at: entry.at, path: entry.path };
  const destination = findDestination(entry, map, registry, issues);
  if (destination === undefined) return undefined;
  return {
    name: entry.key,
    type: destination.id,
    ...readOptions(entry, map, destination, issues),
    events: destination.capabilities.events,
    onDelete: readChoice(map.entries.get('on_delete'), LEAVING_POLICIES, issues) ?? 'delete',
    topic: readText(map.entries.get('topic'), issues, 'the name of a topic'),
    adjustment: readAdjustment(map, attributes, issues),
    createMissing: readCreateMissing(map.entries.get('create_missing'), issues),
    ...entry.at,
  };
}

function findDestination(
  entry: Entry,
  map: MapNode,
  registry: readonly Destination<unknown>[],
  issues: Issues,
): Destination<unknown> | undefined {
  const ids = registry.map((destination) => destination.id);
  const given = map.entries.get('type');
  if (given === undefined || isNothing(given.value)) {
    const byName = registry.find((destination) => destination.id === entry.key);
    if (byName === undefined) {
      const message = `there is no destination ${quote(entry.key)}`;
      const hint = `${suggestion(entry.key, ids)} A name of your own needs a type, for example type: ${ids[0] ?? 'mailtrap'}.`;
      issues.error('RC_CONFIG_DESTINATION', message, entry, hint);
    }
    return byName;
  }
  const type = readText(given, issues, 'the id of a destination');
  if (type === undefined) return undefined;
  const byType = registry.find((destination) => destination.id === type);
  if (byType === undefined) {
    const hidden = given.value.kind === 'scalar' && given.value.fromEnv;
    const message = hidden ? 'there is no destination of this type' : `there is no destination type ${quote(type)}`;
    issues.error(
      'RC_CONFIG_DESTINATION',
      message,
      given.value,
      hidden ? `Known here: ${ids.join(', ')}.` : suggestion(type, ids),
    );
  }
  return byType;
}

/** The options as the destination's schema makes them; undefined when they are wrong (which is reported). */
function readOptions(
  entry: Entry,
  map: MapNode,
  destination: Destination<unknown>,
  issues: Issues,
): Pick<DestinationConfig, 'options' | 'vault' | 'account'> {
  const schema = optionSchema(destination);
  const options: MapNode = {
    ...map,
    entries: new Map([...map.entries].filter(([key]) => !GENERIC_KEYS.includes(key))),
  };
  checkOptionKeys(options, schema, entry.path, GENERIC_KEYS, issues);
  const nodes = vaultNodes(options);
  if (nodes.length > 0) return readVaultOptions({ entry, options, nodes, schema }, destination, issues);
  let result = destination.config.safeParse(plainValue(options));
  if (!result.success) {
    const retyped = new Set<ScalarNode>();
    for (const issue of result.error.issues.filter(expectsTyped)) {
      const { node } = locate(options, issuePath(issue), entry);
      if (node.kind === 'scalar' && node.fromEnv) retyped.add(node);
    }
    if (retyped.size > 0) result = destination.config.safeParse(plainValue(options, retyped));
  }
  if (result.success) return { options: result.data, account: destination.account(result.data) };
  reportZodIssues(result.error.issues, options, entry, schema, issues);
  return { options: undefined, account: undefined };
}
