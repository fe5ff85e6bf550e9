import { readFile } from 'node:fs/promises';
import type { Destination } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import { buildTree } from './build-tree.ts';
import { ConfigErrors, MOST_EXPLAINED } from './config-errors.ts';
import { sendToSandbox } from './development.ts';
import { deepFreeze } from './freeze.ts';
import { configHash } from './hash.ts';
import type { Env } from './interpolate.ts';
import { Issues } from './issues.ts';
import { maskedLines } from './masked-lines.ts';
import { readRoot } from './read-root.ts';
import type { Config } from './types.ts';

/**
 * Makes a frozen `Config` of the text of a `rollcall.yaml`. `file` is its name in messages, `env` what `${NAME}` is read from,
 * `registry` the destinations that may be named.
 * @throws ConfigErrors with every mistake at once
 */
export function parseConfig(
  text: string,
  options: {
    readonly file: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly registry: readonly Destination<unknown>[];
  },
): Config {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const issues = new Issues(options.file);
  const tree = buildTree(source, options.env, issues);
  const redirected = tree === undefined ? undefined : sendToSandbox(tree.root, options, issues);
  const config = redirected === undefined ? undefined : readRoot(redirected.root, options, issues);
  if (config === undefined || issues.failed) {
    const errors = issues.errors();
    const lines = errors.slice(0, MOST_EXPLAINED).map((error) => error.place?.line ?? 1);
    throw new ConfigErrors(options.file, errors, maskedLines(source, tree, lines));
  }
  const destinations = config.destinations.map((destination) => {
    const sandbox = redirected?.sandboxes.get(destination.name);
    return sandbox === undefined ? destination : { ...destination, sandbox };
  });
  return deepFreeze({ ...config, destinations, hash: configHash(config, options.registry) });
}

/**
 * Reads and parses a `rollcall.yaml`.
 * @throws RollcallError when the file can't be read; ConfigErrors with every mistake in it
 */
export async function readConfig(path: string, env: Env, registry: readonly Destination<unknown>[]): Promise<Config> {
  return parseConfig(decode(await read(path), path), { file: path, env, registry });
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const place = { file: path };
    if (code === 'ENOENT') {
      const hint = 'Run `rollcall init` to write one, or name another with --config.';
      throw new RollcallError('RC_CONFIG_NOT_FOUND', `there is no file ${path}`, { hint, place });
    }
    const hint = 'Check that it is a file and that this user may read it.';
    throw new RollcallError('RC_CONFIG_UNREADABLE', `the file ${path} can't be read (${code})`, { hint, place });
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const hint = 'Save it as UTF-8.';
    throw new RollcallError('RC_CONFIG_UNREADABLE', `the file ${path} is not UTF-8 text`, {
      hint,
      place: { file: path },
    });
  }
}
