import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';
/** What the clusters of a run take at most, and as much again. */
const ROOM = 4 * 2 ** 30;

/**
 * Lets this process and its children keep temporary files in memory, where there is room. Databases are made and dropped by the
 * hundred, of 300 files each: ext4 takes ten times the time for that.
 * @returns removes the folder
 */
export function useMemoryFolder(): () => void {
  if (!hasRoom()) return () => undefined;
  removeOrphans();
  const folder = mkdtempSync(join(MEMORY, `rollcall-test-${process.pid}-`));
  // Started by root, Postgres runs as somebody else.
  chmodSync(folder, 0o1777);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}

/** What runs left that were killed. */
function removeOrphans(): void {
  for (const name of readdirSync(MEMORY)) {
    const pid = /^rollcall-test-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(MEMORY, name), { recursive: true, force: true });
  }
}

/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
