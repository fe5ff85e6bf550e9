import { readdirSync } from 'node:fs';
import type { Destination } from '../core/destination.ts';

const FOLDER = new URL('./', import.meta.url);

/**
 * Every destination there is, by id: each folder beside this file whose `index` exports one by default. Adding one is adding its
 * folder, and no line here. (A home without a file system names those it needs: see ARCHITECTURE.md, "Reasons".)
 */
export const registry: readonly Destination<unknown>[] = await Promise.all(folders().map(load));

function folders(): readonly string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

async function load(folder: string): Promise<Destination<unknown>> {
  // The sources are run as they are by tests, and compiled by everybody else.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = (await import(new URL(`${folder}/index.${extension}`, FOLDER).href)) as {
    readonly default: Destination<unknown>;
  };
  return module.default;
}
