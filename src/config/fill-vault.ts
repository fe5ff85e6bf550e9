import type { Destination } from '../core/destination.ts';
import { withSegmentLists } from '../core/segments.ts';
import { RollcallError } from '../core/errors.ts';
import { retype } from './plain-value.ts';
import { formatPath } from './tree.ts';
import type { DestinationConfig, VaultPlace } from './types.ts';
import { concerns, expectsTyped, issuePath } from './zod-issues.ts';

/** The names of all secrets that a destination's options need, each once. */
export function secretNames({ vault }: DestinationConfig): readonly string[] {
  return [...new Set((vault?.places ?? []).flatMap(namesOf))];
}

function namesOf({ parts }: VaultPlace): string[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [] : [part.secret]));
}

/**
 * A destination with its secrets in their places: what is left is as if they had stood in the environment.
 * @param secrets name to value; all that `secretNames` asks for
 * @throws RollcallError `RC_VAULT_SECRET` where one does not fit its option; with its name and never its value
 */
export function fillVault(
  entry: DestinationConfig,
  destination: Destination<unknown>,
  secrets: ReadonlyMap<string, string>,
): DestinationConfig {
  if (entry.vault === undefined) return entry;
  const { input, places } = entry.vault;
  const filled = places.map(({ path, parts }) => ({
    path,
    value: parts.map((part) => (typeof part === 'string' ? part : (secrets.get(part.secret) ?? ''))).join(''),
  }));
  const parse = (typed: ReadonlySet<number>) =>
    destination.config.safeParse(
      filled.reduce((value, { path, value: text }, n) => put(value, path, typed.has(n) ? retype(text) : text), input),
    );
  let result = parse(new Set());
  if (!result.success) {
    const wanting = result.error.issues.filter(expectsTyped).map(issuePath);
    const typed = filled.flatMap(({ path }, n) => (wanting.some((at) => samePath(at, path)) ? [n] : []));
    if (typed.length > 0) result = parse(new Set(typed));
  }
  if (result.success)
    return {
      ...entry,
      options: withSegmentLists(result.data, entry.segmentLists),
      account: destination.account(result.data),
    };
  const [issue] = result.error.issues;
  const at = issue === undefined ? [] : issuePath(issue);
  const about = places.filter((place) => concerns(at, place.path));
  throw misfit(entry, about.length === 0 ? places : about, withoutValues(issue?.message ?? '', [...secrets.values()]));
}

function misfit({ name }: DestinationConfig, places: readonly VaultPlace[], why: string): RollcallError {
  const secrets = [...new Set(places.flatMap(namesOf))].map((secret) => `"${secret}"`).join(', ');
  const [first] = places;
  const path = formatPath(['destinations', name, ...(places.length === 1 ? (first?.path ?? []) : [])]);
  return new RollcallError('RC_VAULT_SECRET', `What Vault has as ${secrets} does not fit ${path}: ${why}`, {
    hint: 'Change it with `select vault.update_secret((select id from vault.secrets where name = ...), ...)`.',
    place: { path, ...(first && { line: first.line, column: first.column }) },
  });
}

const LEAST_HIDDEN = 3;

function withoutValues(message: string, values: readonly string[]): string {
  return values
    .filter((value) => value.length >= LEAST_HIDDEN)
    .reduce((text, value) => text.replaceAll(value, '***'), message);
}

function samePath(one: readonly (string | number)[], other: readonly (string | number)[]): boolean {
  return one.length === other.length && one.every((part, n) => part === other[n]);
}

/** A copy of a plain value with another value at a path that is there. */
function put(whole: unknown, [part, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (part === undefined) return value;
  if (Array.isArray(whole)) return whole.map((item, n) => (n === part ? put(item, rest, value) : item));
  const object = whole as Readonly<Record<string, unknown>>;
  return { ...object, [part]: put(object[part], rest, value) };
}
