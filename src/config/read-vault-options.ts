import type { Destination } from '../core/destination.ts';
import type { Issues } from './issues.ts';
import { type OptionSchema, schemasAt } from './option-schema.ts';
import { plainValue } from './plain-value.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath, type MapNode, type ScalarNode, type TreeNode } from './tree.ts';
import type { DestinationConfig, VaultPlace } from './types.ts';
import { concerns, issuePath, reportZodIssues } from './zod-issues.ts';

/** All values below a node of which some stands in Vault. */
export function vaultNodes(node: TreeNode): readonly ScalarNode[] {
  if (node.kind === 'list') return node.items.flatMap(vaultNodes);
  if (node.kind === 'map') return [...node.entries.values()].flatMap(({ value }) => vaultNodes(value));
  return node.vault === undefined ? [] : [node];
}

/** What every placeholder text holds, so that a text that is made of one can be told. */
const MARK = 'rollcall-placeholder';

/** Texts as secrets are: a plain one, those of Standard Webhooks with their prefix and without, an address, a number. */
const TEXTS: readonly string[] = [
  `${MARK}-of-a-secret-in-vault`,
  `whsec_${Buffer.from(`${MARK}-in-vault`).toString('base64')}`,
  Buffer.from(`${MARK}-in-vault`).toString('base64'),
  `https://${MARK}.invalid`,
  '1',
];

/**
 * The options of a destination of which some stand in Vault. Nobody has read the secrets yet, so that placeholders stand for them
 * that the destination's schema accepts; what else is wrong is reported.
 */
export function readVaultOptions(
  at: {
    readonly entry: Entry;
    readonly options: MapNode;
    readonly nodes: readonly ScalarNode[];
    readonly schema: OptionSchema;
  },
  destination: Destination<unknown>,
  issues: Issues,
): Pick<DestinationConfig, 'options' | 'vault' | 'account'> {
  const { entry, options, nodes, schema } = at;
  const places = nodes.map((node) => placeOf(node, entry, schema));
  const candidates = places.map((place) => placeholders(place, schemasAt(schema, place.path)));
  const turn = places.map(() => 0);
  for (;;) {
    const input = plainValue(
      options,
      new Set(),
      new Map(nodes.map((node, n) => [node, candidates[n]?.[turn[n] ?? 0]])),
    );
    const result = destination.config.safeParse(input);
    if (result.success) {
      const account = destination.account(result.data);
      const known = places.every((place) => place.secret) && !account.includes(MARK);
      return { options: result.data, vault: { input, places }, account: known ? account : undefined };
    }
    const found = result.error.issues;
    const wrong = places.flatMap(({ path }, n) => (found.some((i) => concerns(issuePath(i), path)) ? [n] : []));
    for (const n of wrong) turn[n] = (turn[n] ?? 0) + 1;
    const out = wrong.find((n) => (turn[n] ?? 0) >= (candidates[n]?.length ?? 0));
    if (wrong.length > 0 && out === undefined) continue;
    const others = found.filter((issue) => places.every(({ path }) => !concerns(issuePath(issue), path)));
    reportZodIssues(others, options, entry, schema, issues);
    if (others.length === 0 && out !== undefined) {
      const node = nodes[out] ?? entry;
      const message = `${quote(formatPath(node.path))} can't stand in Vault`;
      issues.error('RC_CONFIG_VAULT', message, node, 'Use an environment variable here: ${NAME}.');
    }
    return { options: undefined, account: undefined };
  }
}

function placeOf(node: ScalarNode, entry: Entry, schema: OptionSchema): VaultPlace {
  const path = node.path.slice(entry.path.length);
  const secret = schemasAt(schema, path).some((candidate) => candidate.secret === true);
  return { path, parts: node.vault ?? [], secret, ...node.at };
}

/** What may stand at a place: examples of the schema and words it lists first, a number or a truth where it wants one. */
function placeholders({ parts }: VaultPlace, schemas: readonly OptionSchema[]): readonly unknown[] {
  const listed = schemas.flatMap((schema) => [
    ...asList(schema['examples']),
    ...asList(schema['enum']),
    ...(schema['const'] === undefined ? [] : [schema['const']]),
  ]);
  const typed = schemas.flatMap(({ type, minimum }): unknown[] => {
    if (type === 'boolean') return [true];
    return type === 'integer' || type === 'number' ? [typeof minimum === 'number' ? Math.max(1, minimum) : 1] : [];
  });
  const texts = [...listed.filter((value) => typeof value === 'string'), ...TEXTS];
  const whole = parts.length === 1 ? [...listed, ...typed].filter((value) => typeof value !== 'string') : [];
  return [...texts.map((text) => parts.map((part) => (typeof part === 'string' ? part : text)).join('')), ...whole];
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
