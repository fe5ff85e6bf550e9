import type { Destination } from '../core/destination.ts';
import type { Json } from '../core/json.ts';
import { isLoopbackHost } from '../core/loopback.ts';
import type { Env } from './interpolate.ts';
import type { Issues } from './issues.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { type Entry, isNothing, type MapNode, type Position, type TreeNode, type TreePath } from './tree.ts';

/** The environment in which destinations are the local sandbox unless they say otherwise. */
const DEVELOPMENT = 'development';
/** Where `rollcall sandbox` listens when it is told nothing. */
const SANDBOX_URL = 'http://127.0.0.1:4010';
/** The key that `rollcall sandbox` accepts when it is told nothing. */
const SANDBOX_TOKEN = 'sandbox-token';
/** The destination there is when the file names none. */
const DEFAULT_NAME = 'sandbox';
const DEFAULT_TYPE = 'mailtrap';

interface Redirected {
  /** The tree that is read in place of the file's own. */
  readonly root: TreeNode;
  /** Name of a destination to the base URL of its stand-in. */
  readonly sandboxes: ReadonlyMap<string, string>;
}

/**
 * With `environment: development`, turns each destination to its stand-in in the local sandbox: what `Destination.standIn` gives
 * takes the place of what the file says, and secrets are not needed, so that variables for them may be unset. Left alone are
 * those that say `sandbox: false`, and those with a base URL of their own. A URL that every config of a destination must give
 * (as that of a webhook) chooses nothing, unless it leads to this machine.
 * @param env `ROLLCALL_SANDBOX_URL` says where the sandbox is, when it is not at its usual port
 */
export function sendToSandbox(
  root: TreeNode,
  { env, registry }: { readonly env: Env; readonly registry: readonly Destination<unknown>[] },
  issues: Issues,
): Redirected {
  const sandboxes = new Map<string, string>();
  if (root.kind !== 'map') return { root, sandboxes };
  const environment = root.entries.get('environment');
  const isDevelopment = environment?.value.kind === 'scalar' && environment.value.value === DEVELOPMENT;
  const origin = isDevelopment ? sandboxUrl(env, environment, issues) : undefined;
  const named = withDefault(root.entries.get('destinations'), isDevelopment ? environment : undefined, registry);
  if (named?.value.kind !== 'map') return { root, sandboxes };
  const entries = [...named.value.entries].map(([name, entry]): [string, Entry] => {
    const { wanted, rest } = takeChoice(entry, issues);
    if (origin === undefined || !wanted) return [name, rest];
    const destination = destinationOf(rest, registry);
    const turned =
      destination === undefined ? undefined : turn(rest, destination, `${origin}/${destination.id}`, issues);
    if (destination === undefined || turned === undefined) return [name, rest];
    sandboxes.set(name, `${origin}/${destination.id}`);
    return [name, turned];
  });
  const destinations: Entry = { ...named, value: { ...named.value, entries: new Map(entries) } };
  return { root: { ...root, entries: new Map([...root.entries, ['destinations', destinations]]) }, sandboxes };
}

function sandboxUrl(env: Env, environment: Entry | undefined, issues: Issues): string {
  const given = env['ROLLCALL_SANDBOX_URL'] || SANDBOX_URL;
  const url = given.replace(/\/+$/, '');
  if (isLocal(url)) return url;
  const spot = environment ?? { at: { line: 1, column: 1 }, path: [] };
  const hint = `For example ${SANDBOX_URL}, as \`rollcall sandbox\` prints it.`;
  issues.error('RC_CONFIG_VALUE', 'ROLLCALL_SANDBOX_URL is not an http URL of this machine', spot, hint);
  return SANDBOX_URL;
}

/** The file's destinations; in development one of our own when it says nothing of any. */
function withDefault(
  entry: Entry | undefined,
  environment: Entry | undefined,
  registry: readonly Destination<unknown>[],
): Entry | undefined {
  if (entry !== undefined && !isNothing(entry.value)) return entry;
  if (environment === undefined || !registry.some(({ id }) => id === DEFAULT_TYPE)) return entry;
  const path = ['destinations'];
  const value = nodeOf({ [DEFAULT_NAME]: { type: DEFAULT_TYPE } }, environment.at, path);
  return { key: 'destinations', at: environment.at, path, value };
}

/** A destination's entry without its `sandbox`, and what that says. */
function takeChoice(entry: Entry, issues: Issues): { readonly wanted: boolean; readonly rest: Entry } {
  const { value } = entry;
  if (value.kind !== 'map') return { wanted: true, rest: entry };
  const choice = value.entries.get('sandbox');
  if (choice === undefined) return { wanted: true, rest: entry };
  const entries = new Map([...value.entries].filter(([key]) => key !== 'sandbox'));
  const rest: Entry = { ...entry, value: { ...value, entries } };
  if (isNothing(choice.value)) return { wanted: true, rest };
  const said = choice.value.kind === 'scalar' ? String(choice.value.value) : '';
  if (said !== 'true' && said !== 'false') {
    const hint = 'false sends to the real API also in development.';
    issues.error('RC_CONFIG_TYPE', 'sandbox is true or false', choice.value, hint);
  }
  return { wanted: said !== 'false', rest };
}

/** What the entry names; undefined when it is nothing known, which is said elsewhere. */
function destinationOf(
  { key, value }: Entry,
  registry: readonly Destination<unknown>[],
): Destination<unknown> | undefined {
  const type = value.kind === 'map' ? value.entries.get('type')?.value : undefined;
  const id = type === undefined || isNothing(type) ? key : type.kind === 'scalar' ? type.value : undefined;
  return registry.find((destination) => destination.id === id);
}

/** The entry with the options of the stand-in; undefined when it has a base URL of its own. */
function turn(entry: Entry, destination: Destination<unknown>, url: string, issues: Issues): Entry | undefined {
  const { value } = entry;
  if (value.kind !== 'map' && !isNothing(value)) return undefined;
  const own: MapNode['entries'] = value.kind === 'map' ? value.entries : new Map<string, Entry>();
  const schema = optionSchema(destination);
  const required = (schema['required'] as readonly string[] | undefined) ?? [];
  const standIn = destination.standIn(url, SANDBOX_TOKEN);
  const chosen = Object.keys(standIn).some((key) => {
    const given = own.get(key)?.value;
    if (given === undefined || isNothing(given) || holdsSecret(schema.properties?.[key])) return false;
    return !required.includes(key) || (given.kind === 'scalar' && isLocal(String(given.value)));
  });
  if (chosen) return undefined;
  const replaced = [...own].filter(([key]) => Object.hasOwn(standIn, key) || holdsSecret(schema.properties?.[key]));
  for (const [, { path }] of replaced) issues.withdraw('RC_CONFIG_ENV_MISSING', path);
  const kept = [...own].filter(([key]) => !replaced.some(([other]) => other === key));
  const turned = Object.entries(standIn).map(([key, option]): [string, Entry] => {
    const path = [...entry.path, key];
    const at = own.get(key)?.at ?? entry.at;
    return [key, { key, at, path, value: nodeOf(option, at, path) }];
  });
  const entries = new Map([...kept, ...turned]);
  return { ...entry, value: { kind: 'map', entries, at: value.at, path: entry.path } };
}

/** Whether an option is a secret or has one in it. */
function holdsSecret(schema: OptionSchema | undefined): boolean {
  if (schema === undefined) return false;
  if (schema.secret === true) return true;
  const { properties = {}, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = schema;
  const inner = [...Object.values(properties), ...anyOf, ...oneOf, ...allOf, ...(items === undefined ? [] : [items])];
  return [...inner, ...(typeof additionalProperties === 'object' ? [additionalProperties] : [])].some(holdsSecret);
}

function isLocal(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && isLoopbackHost(hostname);
}

/** A value as if it stood in the file. */
function nodeOf(value: Json, at: Position, path: TreePath): TreeNode {
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item, n) => nodeOf(item, at, [...path, n])), at, path };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as Readonly<Record<string, Json>>).map(([key, item]): [string, Entry] => {
      const inner = [...path, key];
      return [key, { key, at, path: inner, value: nodeOf(item, at, inner) }];
    });
    return { kind: 'map', entries: new Map(entries), at, path };
  }
  return { kind: 'scalar', value, fromEnv: false, range: [0, 0], at, path };
}
