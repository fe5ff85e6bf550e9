import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import type { Break } from './breaks.ts';

/** What a copy needs none of, or has as a link. */
const APART = new Set(['node_modules', '.git', '.tmp', 'dist']);

/**
 * Copies the repository to a folder of its own, and breaks it there.
 * @param root the repository
 * @returns the folder
 * @throws Error when what is to be edited does not occur exactly once
 */
export async function brokenTree(root: string, { name, edits }: Break): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `rollcall-without-${name}-`));
  try {
    await cp(root, folder, {
      recursive: true,
      filter: (from) => dirname(relative(root, from)) !== '.' || !APART.has(basename(from)),
    });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
    for (const { file, from, to } of edits) {
      const text = await readFile(join(folder, file), 'utf8');
      const parts = text.split(from);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${JSON.stringify(from)}`);
      await writeFile(join(folder, file), parts.join(to));
    }
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
