import type { core } from 'zod';
import { unknownKey } from './fields.ts';
import type { Issues } from './issues.ts';
import { knownKeys, type OptionSchema, schemasAt } from './option-schema.ts';
import { locate } from './plain-value.ts';
import { quote } from './quote.ts';
import { type Entry, formatPath, type TreeNode, type TreePath } from './tree.ts';

type Path = readonly (string | number)[];

/** Whether an issue says that a number or a truth value was expected, with the path where. */
export function expectsTyped(issue: core.$ZodIssue): boolean {
  return issue.code === 'invalid_type' && (issue.expected === 'number' || issue.expected === 'boolean');
}

/** The path of an issue without symbols, which no file holds. */
export function issuePath(issue: core.$ZodIssue): Path {
  return issue.path.filter((part): part is string | number => typeof part !== 'symbol');
}

/** Whether an issue at one path is about what stands at another: there, around it or inside it. */
export function concerns(issue: Path, path: Path): boolean {
  const length = Math.min(issue.length, path.length);
  return path.slice(0, length).every((part, n) => issue[n] === part);
}

/**
 * Reports what a destination's schema says of its options, each at its key in the file. Unknown keys are reported elsewhere
 * (`checkOptionKeys`), since a schema that strips them would not tell.
 */
export function reportZodIssues(
  found: readonly core.$ZodIssue[],
  options: TreeNode,
  entry: Entry,
  schema: OptionSchema,
  issues: Issues,
): void {
  for (const issue of found) {
    const { leaf, path } = likeliest(issue, issuePath(issue));
    if (leaf.code === 'unrecognized_keys') continue;
    const { spot, found: exists, node } = locate(options, path, entry);
    const name = quote(formatPath([...entry.path, ...path]));
    const description = schemasAt(schema, path).find((candidate) => candidate.description !== undefined)?.description;
    if (exists) {
      const message = `${name}: ${withoutValue(leaf.message, node)}`;
      issues.error('RC_CONFIG_DESTINATION_OPTION', message, spot, description);
    } else {
      issues.error(
        'RC_CONFIG_MISSING',
        `${name} is missing`,
        { at: spot.at, path: [...entry.path, ...path] },
        description,
      );
    }
  }
}

/** Of a union's branches the one that got furthest; an issue that is no union stays as it is. */
function likeliest(issue: core.$ZodIssue, path: Path): { readonly leaf: core.$ZodIssue; readonly path: Path } {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return { leaf: issue, path };
  const firsts = issue.errors.flatMap((branch) => branch.slice(0, 1));
  const deepest = firsts.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (deepest !== undefined && deepest.path.length > 0) return likeliest(deepest, [...path, ...issuePath(deepest)]);
  const kinds = firsts.map((first) => (first.code === 'invalid_type' ? first.expected : undefined));
  if (kinds.some((kind) => kind === undefined)) return { leaf: issue, path };
  return { leaf: { ...issue, message: `expected ${[...new Set(kinds)].join(' or ')}` }, path };
}

const LEAST_HIDDEN = 3;

/** A schema's message, should it quote the value, without it. */
function withoutValue(message: string, node: TreeNode): string {
  const value = node.kind === 'scalar' ? String(node.value) : '';
  return value.length < LEAST_HIDDEN ? message : message.replaceAll(value, '***');
}

/** Reports keys no part of the schema knows, at any depth. `also` are keys beside the options, for suggestions. */
export function checkOptionKeys(
  node: TreeNode,
  schema: OptionSchema,
  root: TreePath,
  also: readonly string[],
  issues: Issues,
): void {
  if (node.kind === 'list') for (const item of node.items) checkOptionKeys(item, schema, root, also, issues);
  if (node.kind !== 'map') return;
  const path = node.path.slice(root.length);
  const keys = knownKeys(schema, path);
  for (const entry of node.entries.values()) {
    if (keys === undefined || keys.includes(entry.key)) checkOptionKeys(entry.value, schema, root, also, issues);
    else unknownKey(entry, path.length === 0 ? [...also, ...keys] : keys, issues);
  }
}
