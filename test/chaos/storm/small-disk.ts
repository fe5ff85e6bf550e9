import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PREFIX = 'rollcall-disk-';
const SIZE = '64m';
const BLOCK = Buffer.alloc(1 << 20);
const run = promisify(execFile);

/** A file system of its own, so small that it can be filled. */
export interface SmallDisk {
  /** Where a tablespace can be. */
  readonly directory: string;
  /** Takes all the space there is left. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  unmount(): Promise<void>;
}

/**
 * Mounts one (tmpfs).
 * @param like its files belong to whom this belongs to
 * @returns the disk, or why there can be none here
 */
export async function mountSmallDisk(like: string): Promise<SmallDisk | string> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small disk';
  await unmountLeft();
  const point = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'rollcall-chaos', point]);
  } catch (error) {
    await rm(point, { recursive: true, force: true });
    return `a small disk could not be mounted: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
  const directory = join(point, 'tables');
  const ballast = join(point, 'ballast');
  await mkdir(directory);
  const { uid, gid } = await stat(like);
  await chown(directory, uid, gid);
  await chown(point, uid, gid);
  return {
    directory,
    async fill() {
      const file = await open(ballast, 'a');
      try {
        for (let size = BLOCK.length; ;) {
          try {
            await file.write(BLOCK, 0, size);
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
            if (size < 4_096) break;
            size = size >> 1;
          }
        }
      } finally {
        await file.close();
      }
      const { bavail } = await statfs(point);
      if (bavail > 0) throw new Error(`${bavail} blocks are left on the disk that was filled`);
    },
    empty: () => rm(ballast, { force: true }),
    async unmount() {
      await run('umount', [point]);
      await rm(point, { recursive: true, force: true });
    },
  };
}

/** Those of processes that were killed. */
async function unmountLeft(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length).split('-')[0] : NaN);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    const point = join(tmpdir(), name);
    await run('umount', [point]).catch(() => undefined);
    await rm(point, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
