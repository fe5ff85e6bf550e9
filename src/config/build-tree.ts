import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import { GENERIC_KEYS } from './destination-keys.ts';
import { type Env, interpolate } from './interpolate.ts';
import type { Issues } from './issues.ts';
import { quote } from './quote.ts';
import type { Entry, Position, ScalarNode, TextRange, Tree, TreeNode, TreePath } from './tree.ts';
import { yamlMistake } from './yaml-mistake.ts';

// Far beyond any config written by a person; below what makes the YAML parser slow or its recursion deep.
const LARGEST = 128 * 1024;
const MOST_SYNTAX_ERRORS = 5;
const MOST_ALIASES = 100;
const MOST_NODES = 100_000;
const DEEPEST = 50;

// What Postgres can't store as text.
// oxlint-disable-next-line no-control-regex
const UNSTORABLE = /\u0000|\p{Surrogate}/u;

/** Parses YAML into a tree with places. Mistakes go to `issues`; undefined when there is nothing to go on with. */
export function buildTree(text: string, env: Env, issues: Issues): Tree | undefined {
  const start = { at: { line: 1, column: 1 }, path: [] };
  if (text.length > LARGEST) {
    issues.error('RC_CONFIG_TOO_LARGE', `the file is larger than ${LARGEST / 1024} Ki characters`, start);
    return undefined;
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false, // pretty errors quote the source, secrets included
    uniqueKeys: false, // checked here, with both places and in linear time
    version: '1.2',
    schema: 'core',
    merge: false,
  });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    for (const mistake of mistakes.slice(0, MOST_SYNTAX_ERRORS)) {
      const { message, hint } = yamlMistake(mistake.code);
      issues.error('RC_CONFIG_YAML', message, { at: position(lineCounter, mistake.pos[0]), path: [] }, hint);
    }
    return undefined;
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    issues.error('RC_CONFIG_EMPTY', 'the file is empty', start, 'Run `rollcall init` to write one.');
    return undefined;
  }
  const builder = new Builder(text, document, lineCounter, env, issues);
  const root = builder.build(document.contents, [], undefined);
  return builder.stopped ? undefined : { root, keys: builder.keys };
}

function position(lineCounter: LineCounter, offset: number): Position {
  const { line, col } = lineCounter.linePos(offset);
  return { line, column: col };
}

class Builder {
  readonly keys: TextRange[] = [];
  /** True when the file wants too much: what was built is not whole. */
  stopped = false;
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #lineCounter: LineCounter;
  readonly #env: Env;
  readonly #issues: Issues;
  #aliases = 0;
  #nodes = 0;

  constructor(text: string, document: Document.Parsed, lineCounter: LineCounter, env: Env, issues: Issues) {
    this.#text = text;
    this.#document = document;
    this.#lineCounter = lineCounter;
    this.#env = env;
    this.#issues = issues;
  }

  /** `key` is the place of the map key in front of the node, which stands in for an empty value. */
  build(node: Node | null | undefined, path: TreePath, key: Position | undefined): TreeNode {
    const at = this.#at(node) ?? key ?? { line: 1, column: 1 };
    const nothing: ScalarNode = { kind: 'scalar', value: null, fromEnv: false, range: [0, 0], at: key ?? at, path };
    if (node === null || node === undefined || this.#tooMuch(at, path)) return nothing;
    if (isAlias(node)) return this.#alias(node, path, at, key) ?? nothing;
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.build(item as Node, [...path, index], undefined));
      return { kind: 'list', items, at, path };
    }
    if (isMap(node)) return { kind: 'map', entries: this.#entries(node, path), at, path };
    return isScalar(node) ? this.#scalar(node, path, at, nothing) : nothing;
  }

  #at(node: Node | null | undefined): Position | undefined {
    return node?.range ? position(this.#lineCounter, node.range[0]) : undefined;
  }

  #stop(message: string, at: Position, path: TreePath): void {
    if (!this.stopped) this.#issues.error('RC_CONFIG_YAML', message, { at, path });
    this.stopped = true;
  }

  #tooMuch(at: Position, path: TreePath): boolean {
    this.#nodes += 1;
    if (path.length > DEEPEST) this.#stop(`nested deeper than ${DEEPEST} levels`, at, path.slice(0, 3));
    if (this.#nodes > MOST_NODES) this.#stop(`more than ${MOST_NODES} values, aliases included`, at, path.slice(0, 3));
    return this.stopped;
  }

  #alias(node: Node, path: TreePath, at: Position, key: Position | undefined): TreeNode | undefined {
    if (!isAlias(node)) return undefined;
    this.#aliases += 1;
    if (this.#aliases > MOST_ALIASES) {
      this.#stop(`more than ${MOST_ALIASES} aliases, those inside aliases included`, at, path.slice(0, 3));
      return undefined;
    }
    const target = node.resolve(this.#document);
    if (target === undefined) {
      const hint = 'Set the anchor (&name) before the alias, or put the value in quotes.';
      this.#issues.error('RC_CONFIG_YAML', `the alias ${quote(`*${node.source}`)} has no anchor`, { at, path }, hint);
      return undefined;
    }
    return this.build(target, path, key);
  }

  #entries(map: { readonly items: readonly { readonly key: unknown; readonly value: unknown }[] }, path: TreePath) {
    const entries = new Map<string, Entry>();
    for (const pair of map.items) {
      const keyNode = pair.key as Node | null;
      const at = this.#at(keyNode) ?? { line: 1, column: 1 };
      const key = isScalar(keyNode) ? keyText(keyNode) : undefined;
      if (keyNode?.range) this.keys.push([keyNode.range[0], keyNode.range[1]]);
      if (key === undefined) {
        this.#issues.error('RC_CONFIG_YAML', 'a key must be a word', { at, path }, 'Put the key in quotes.');
        continue;
      }
      const entryPath = [...path, key];
      const spot = { at, path: entryPath };
      const earlier = entries.get(key);
      if (key === '__proto__' || UNSTORABLE.test(key)) {
        this.#issues.error('RC_CONFIG_UNKNOWN_KEY', `the key ${quote(key)} is not allowed`, spot);
      } else if (key === '<<') {
        const hint = 'Repeat the keys, or put an alias in place of a whole value.';
        this.#issues.error('RC_CONFIG_UNKNOWN_KEY', 'merge keys (<<) are not supported', spot, hint);
      } else if (earlier !== undefined) {
        const message = `the key ${quote(key)} stands here twice: first on line ${earlier.at.line}`;
        this.#issues.error('RC_CONFIG_DUPLICATE_KEY', message, spot, 'Keep one of the two.');
      } else {
        entries.set(key, { key, at, path: entryPath, value: this.build(pair.value as Node | null, entryPath, at) });
      }
    }
    return entries;
  }

  #scalar(node: Scalar, path: TreePath, at: Position, nothing: ScalarNode): ScalarNode {
    const [start = 0, end = 0] = node.range ?? [];
    const base = { kind: 'scalar', fromEnv: false, range: [start, end], at, path } as const;
    const { value } = node;
    if (value === null) return node.source === '' || node.source === undefined ? nothing : { ...base, value };
    if (typeof value === 'boolean') return { ...base, value };
    if (typeof value === 'number') {
      const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!exact)
        this.#issues.error('RC_CONFIG_NUMBER', 'the number is too large to be kept exactly', base, 'Put it in quotes.');
      return { ...base, value };
    }
    if (typeof value !== 'string') {
      this.#issues.error('RC_CONFIG_TYPE', 'this kind of YAML value is not supported', base, 'Put it in quotes.');
      this.#issues.settle(path);
      return nothing;
    }
    if (UNSTORABLE.test(value)) {
      this.#issues.error('RC_CONFIG_TEXT', 'the text holds a character that a database cannot store', base);
      this.#issues.settle(path);
      return nothing;
    }
    return { ...base, ...this.#interpolated(value, base) };
  }

  /** The value with the environment in it; each problem is placed at its own `${`, also inside long texts. */
  #interpolated(
    text: string,
    base: Omit<ScalarNode, 'value'>,
  ): Pick<ScalarNode, 'fromEnv' | 'vault'> & { readonly value: string } {
    const { value, vault, fromEnv, problems } = interpolate(text, this.#env);
    if (vault !== undefined && !isOption(base.path)) {
      const hint = 'Use an environment variable here: ${NAME}.';
      this.#issues.error(
        'RC_CONFIG_VAULT',
        'a secret of Vault can stand in an option of a destination only',
        base,
        hint,
      );
      this.#issues.settle(base.path);
    }
    let from = base.range[0];
    for (const problem of problems) {
      const found = this.#text.indexOf(problem.token, from);
      const inside = found !== -1 && found < base.range[1];
      if (inside) from = found + 1;
      const spot = { at: inside ? position(this.#lineCounter, found) : base.at, path: base.path };
      if (problem.kind === 'missing') {
        const hint = `Set ${problem.name}, or give a default: \${${problem.name}:-default}.`;
        this.#issues.error('RC_CONFIG_ENV_MISSING', `the environment variable ${problem.name} is not set`, spot, hint);
      } else {
        const hint = 'Write ${NAME}, ${NAME:-default} or ${vault:NAME}; for a literal ${ write $${.';
        this.#issues.error('RC_CONFIG_ENV_SYNTAX', '${…} does not name an environment variable', spot, hint);
      }
    }
    if (problems.length > 0) this.#issues.settle(base.path);
    return vault === undefined ? { value, fromEnv } : { value, fromEnv, vault };
  }
}

/** Whether an option that only a destination's own schema knows stands there, or something inside it. */
function isOption([section, , option]: TreePath): boolean {
  return section === 'destinations' && option !== undefined && !GENERIC_KEYS.includes(String(option));
}

/** The text of a key as written: `1.0` and `true` keep their spelling. */
function keyText(key: Scalar): string | undefined {
  if (typeof key.value === 'string') return key.value === '' ? undefined : key.value;
  return key.source === undefined || key.source === '' ? undefined : key.source;
}
