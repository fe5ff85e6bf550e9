import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onCleanup } from '../support/database.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** For tests: the command line as it is installed, compiled into a folder of its own. */
export interface Built {
  readonly main: string;
  remove(): Promise<void>;
}

/** Node 20 runs no TypeScript, so the sources are compiled first. Types are checked elsewhere. */
export async function build(): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-built-'));
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = ['-p', join(ROOT, 'tsconfig.build.json'), '--noCheck', '--outDir', join(folder, 'dist')];
  await promisify(execFile)(process.execPath, [tsc, ...args]);
  return { main: join(folder, 'dist', 'cli', 'main.js'), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** For tests: a running process with what it writes. */
export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Resolves with the match once standard output holds it; rejects when the process ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

/** For tests: starts a program without a terminal; it is killed when the test ends. */
export function start(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  as: Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> = {},
): Running {
  const child = spawn(program, args, {
    ...as,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  onCleanup(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await done;
  });
  return {
    child,
    done,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const match = pattern.exec(stdout);
          if (match === null) return;
          watchers.delete(watch);
          resolve(match);
        };
        watchers.add(watch);
        watch();
        void done.then(({ code }) =>
          reject(new Error(`ended with ${code} before saying ${pattern}: ${stdout}${stderr}`)),
        );
      }),
  };
}
