import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EngineTimes } from '../../src/engine/times.ts';
import { onCleanup } from './database.ts';

/** A worker as a process of its own, so that it can be killed and stopped. */
export interface WorkerProcess {
  readonly pid: number;
  readonly healthPort: number;
  /** Everything it wrote, a line each. */
  readonly lines: readonly string[];
  /** Sends a signal. */
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves when it has ended: the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

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

let compiled: Promise<string> | undefined;

/** Compiles the sources once for this test process, inside the repository so that dependencies resolve. */
async function compile(): Promise<string> {
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
 * @param yaml the config's text
 * @param helper as `rollcall sync` runs one, for a backfill only
 */
export async function startWorkerProcess(
  yaml: string,
  times: Partial<EngineTimes> = {},
  helper = false,
): Promise<WorkerProcess> {
  compiled ??= compile();
  const directory = await compiled;
  await mkdir(join(directory, 'configs'), { recursive: true });
  const config = join(directory, 'configs', `${crypto.randomUUID()}.yaml`);
  await writeFile(config, yaml);
  const child = spawn(
    process.execPath,
    [join(directory, 'test-worker.js'), JSON.stringify({ config, times, helper })],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = endOf(child);
  onCleanup(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines: string[] = [];
  let ready: (port: number) => void;
  const started = new Promise<number>((resolve) => {
    ready = resolve;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const found = (JSON.parse(line) as { ready?: number }).ready;
    if (found !== undefined) ready(found);
  });
  const first = await Promise.race([started, ended.then((code) => ({ code }))]);
  if (typeof first !== 'number') throw new Error(`the worker ended at once (${first.code}): ${lines.at(-1)}`);
  return {
    pid: child.pid ?? 0,
    healthPort: first,
    lines,
    ended,
    signal: (name) => void child.kill(name),
  };
}

async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal ?? 'unknown';
}
