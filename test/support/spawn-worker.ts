import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EngineTimes } from '../../src/engine/times.ts';

/** A worker as a process of its own, so that it can be killed and stopped. */
export interface WorkerProcess {
  readonly pid: number;
  readonly healthPort: number;
  /** Everything it wrote on standard output, a line each. */
  readonly lines: readonly string[];
  /** Everything it wrote on standard error, where that is kept; nothing is written there by a worker that is well. */
  readonly complaints: readonly string[];
  /** Sends a signal. */
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves when it has ended: the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export interface SpawnOptions {
  readonly times?: Partial<EngineTimes>;
  /** As `rollcall sync` runs one, for a backfill only. */
  readonly helper?: boolean;
  /** A module that is loaded before the worker. */
  readonly preload?: string;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Keeps what it writes on standard error, in place of passing it on. */
  readonly keepComplaints?: boolean;
  /** Given the process as soon as there is one, so that it can be ended whatever comes of its start. */
  readonly onSpawn?: (child: { kill(): void; readonly ended: Promise<number | string> }) => void;
}

/** The folder of the repository, also for code that was compiled into a folder within it. */
export const ROOT: string = rootOf(dirname(fileURLToPath(import.meta.url)));

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder));
}

// What a composition root does, with the clocks open to the test.
const RUNNER = `import { readFileSync } from 'node:fs';
import { parseConfig } from './config/load.js';
import { registry } from './destinations/registry.js';
import { runWorker } from './homes/worker.js';
const { config, times, helper } = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');
const level = (name) => (fields, message) => say({ level: name, message, ...fields });
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
try {
  await runWorker({
    config: parseConfig(readFileSync(config, 'utf8'), { file: config, env: {}, registry }),
    log: { error: level('error'), warn: level('warn'), info: level('info'), debug: level('debug') },
    health: { port: 0, host: '127.0.0.1' },
    onReady: ({ healthPort }) => say({ ready: healthPort }),
    times,
    helper,
  }, stop.signal);
} catch (error) {
  say({ failed: error.code ?? error.name });
  process.exitCode = 1;
}
`;

/**
 * Compiles the sources for this process, inside the repository so that dependencies resolve.
 * @returns the folder to start workers from; it is gone when this process ends
 */
export async function compileWorker(): Promise<string> {
  const directory = join(ROOT, '.tmp', `dist-test-${process.pid}`);
  await rm(directory, { recursive: true, force: true });
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  await promisify(execFile)(
    process.execPath,
    [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      join(ROOT, 'tsconfig.build.json'),
      '--outDir',
      directory,
      ...'--declaration false --declarationMap false --isolatedDeclarations false --sourceMap false'.split(' '),
      ...'--noEmitOnError false --noCheck'.split(' '),
    ],
    { cwd: ROOT },
  );
  await writeFile(join(directory, 'test-worker.js'), RUNNER);
  return directory;
}

/**
 * Starts a worker and waits until it runs.
 * @param directory what `compileWorker` gave
 * @param yaml the config's text
 * @throws Error when it ends before it runs
 */
export async function spawnWorker(directory: string, yaml: string, options: SpawnOptions = {}): Promise<WorkerProcess> {
  const { times = {}, helper = false, preload, env = {}, keepComplaints = false, onSpawn } = options;
  await mkdir(join(directory, 'configs'), { recursive: true });
  const config = join(directory, 'configs', `${crypto.randomUUID()}.yaml`);
  await writeFile(config, yaml);
  const child = spawn(
    process.execPath,
    [
      ...(preload === undefined ? [] : ['--import', preload]),
      join(directory, 'test-worker.js'),
      JSON.stringify({ config, times, helper }),
    ],
    { stdio: ['ignore', 'pipe', keepComplaints ? 'pipe' : 'inherit'], env: { ...process.env, ...env } },
  );
  const ended = endOf(child);
  onSpawn?.({ kill: () => void child.kill('SIGKILL'), ended });
  const lines: string[] = [];
  const complaints: string[] = [];
  let ready: (port: number) => void;
  const started = new Promise<number>((resolve) => {
    ready = resolve;
  });
  createInterface({ input: child.stdout! }).on('line', (line) => {
    lines.push(line);
    if (!line.startsWith('{"ready"')) return;
    ready((JSON.parse(line) as { ready: number }).ready);
  });
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  const first = await Promise.race([started, ended.then((code) => ({ code }))]);
  if (typeof first !== 'number') throw new Error(`the worker ended at once (${first.code}): ${lines.at(-1)}`);
  return {
    pid: child.pid ?? 0,
    healthPort: first,
    lines,
    complaints,
    ended,
    signal: (name) => void child.kill(name),
  };
}

async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal ?? 'unknown';
}
