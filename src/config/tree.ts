/** The file as a tree with places: aliases resolved, environment put in, duplicate keys gone. What the readers read. */

import type { VaultPart } from './interpolate.ts';

/** 1-based; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Start and end offset in the text. */
export type TextRange = readonly [from: number, to: number];

export type TreePath = readonly (string | number)[];

interface NodeBase {
  readonly at: Position;
  readonly path: TreePath;
}

export interface ScalarNode extends NodeBase {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** True when any of the value came from the environment: it must never be shown. */
  readonly fromEnv: boolean;
  readonly range: TextRange;
  /** The text in parts, where some of it stands in Vault: then `value` is not all of it. */
  readonly vault?: readonly VaultPart[] | undefined;
}

interface ListNode extends NodeBase {
  readonly kind: 'list';
  readonly items: readonly TreeNode[];
}

export interface MapNode extends NodeBase {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}

export type TreeNode = ScalarNode | ListNode | MapNode;

/** One key of a map with its value. */
export interface Entry {
  readonly key: string;
  /** Where the key stands. */
  readonly at: Position;
  readonly path: TreePath;
  readonly value: TreeNode;
}

/** A file that was parsed. */
export interface Tree {
  readonly root: TreeNode;
  /** Where every key stands, those that were refused too. */
  readonly keys: readonly TextRange[];
}

/** `connectors.supabase.sync.tables[2]`. */
export function formatPath(path: TreePath): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

/** The kind of a node in words, for messages. Never its value. */
export function describeNode(node: TreeNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return 'a list';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return 'text';
  return typeof node.value === 'number' ? 'a number' : 'true or false';
}

/** Whether a node says nothing (`key:` or `key: null`), which is the same as leaving the key out. */
export function isNothing(node: TreeNode | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.value === null);
}
