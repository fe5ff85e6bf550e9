import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { isUrl } from '../config/read-erasure.ts';
import type { Config } from '../config/types.ts';
import type { KeptPlace } from '../engine/kept-ports.ts';
import { keptUnreadable } from '../engine/kept.ts';
import { keptObject, unwritable } from '../transport/kept.ts';

/** Where the config says that what outlives a restore is kept; undefined when nowhere. */
export function keptPlace({ erasure }: Config): KeptPlace | undefined {
  const { export: target, exportToken } = erasure;
  if (target === undefined) return undefined;
  return isUrl(target) ? keptObject(target, exportToken) : keptFile(target);
}

/** A file that only its owner can read; put in place whole, so that a crash leaves the one before. */
function keptFile(path: string): KeptPlace {
  return {
    name: path,
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        throw keptUnreadable(path, codeOf(error), error);
      }
    },
    async write(text) {
      const next = `${path}.${randomUUID()}.tmp`;
      try {
        const file = await open(next, 'wx', 0o600);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(next, path);
      } catch (error) {
        await rm(next, { force: true });
        throw unwritable(path, codeOf(error), error);
      }
    },
  };
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}
