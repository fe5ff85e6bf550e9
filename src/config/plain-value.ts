import { isNothing, type ScalarNode, type TreeNode, type TreePath } from './tree.ts';

/**
 * A node as the plain value a schema reads. Keys with nothing behind them are left out; a written
 * `null` stays. Texts from the environment in `retyped` become
 * the number or truth value they spell, since the environment holds nothing but text.
 * @param filled values that stand in for those of nodes
 */
export function plainValue(
  node: TreeNode,
  retyped: ReadonlySet<ScalarNode> = new Set(),
  filled: ReadonlyMap<ScalarNode, unknown> = new Map(),
): unknown {
  if (node.kind === 'list') return node.items.map((item) => plainValue(item, retyped, filled));
  if (node.kind === 'map') {
    const entries = [...node.entries.values()].filter((entry) => !isBlank(entry.value));
    return Object.fromEntries(entries.map((entry) => [entry.key, plainValue(entry.value, retyped, filled)]));
  }
  if (filled.has(node)) return filled.get(node);
  return retyped.has(node) ? retype(String(node.value)) : node.value;
}

function isBlank(node: TreeNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.range[0] === node.range[1];
}

/** The number or truth value that a text spells, else the text. */
export function retype(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : text;
}

/** The nearest node to a path below `node`: the place where it stands (its key, if it has one), and whether it is the path's end. */
export function locate(
  node: TreeNode,
  path: readonly (string | number)[],
  spot: Place = node,
): { readonly spot: Place; readonly node: TreeNode; readonly found: boolean } {
  const [part, ...rest] = path;
  if (part === undefined) return { spot, node, found: true };
  if (node.kind === 'map' && typeof part === 'string') {
    const entry = node.entries.get(part);
    if (entry !== undefined && !isNothing(entry.value)) return locate(entry.value, rest, entry);
    if (entry !== undefined) return { spot: entry, node, found: false };
  }
  if (node.kind === 'list' && typeof part === 'number') {
    const item = node.items[part];
    if (item !== undefined) return locate(item, rest);
  }
  return { spot, node, found: false };
}

interface Place {
  readonly at: TreeNode['at'];
  readonly path: TreePath;
}
