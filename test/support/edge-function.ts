import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { edgeFiles } from '../../src/homes/edge/files.ts';
import type { Ran } from '../../src/homes/edge/run.ts';
import type { Problem } from '../../src/homes/edge/runs.ts';
import { onCleanup } from './database.ts';
import { compileWorker, ROOT } from './spawn-worker.ts';

/** The function that `rollcall deploy edge` writes, in a Deno process of its own. */
export interface EdgeFunction {
  readonly url: string;
  readonly pid: number;
  readonly lines: readonly string[];
  /** Posts below the function's name. */
  post(path: string, body?: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** One invocation, to its end. Rejects when the process dies in the middle. */
  tick(): Promise<Ran>;
  /** The time that the processor has spent on the whole process, in ms. */
  cpuMs(): number;
  /** The most memory that was resident at once, in MB. */
  peakMb(): number;
  /** Ends the process in the middle of whatever it does. */
  kill(): Promise<void>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** What wakes the function in tests. */
export const EDGE_KEY = 'edge-key-of-the-tests';

export interface EdgeFunctionOptions {
  readonly types: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Options of `serveRollcall`, as the text of an object's properties. */
  readonly options?: string;
}

/** The engine's clocks where somebody is killed and another one goes on: see `Worker` in the conformance suite. */
const SHORT = `times: { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 },`;

/** The edge home of a project: the function, and somebody who wakes it again and again, as the cron job does. */
export async function startEdgeHome(
  yaml: string,
  type: string,
): Promise<{ signal(name: 'SIGKILL'): void; readonly ended: Promise<number | string> }> {
  const edge = await startEdgeFunction(yaml, { types: [type], options: SHORT });
  const waking = async (): Promise<void> => {
    for (;;) await edge.tick();
  };
  // Until it is killed.
  waking().catch(() => undefined);
  return { signal: () => void edge.kill(), ended: edge.ended };
}

let compiled: Promise<string> | undefined;

/** Starts the function; it is gone when the test ends. */
export async function startEdgeFunction(
  yaml: string,
  { types, env = {}, options = '' }: EdgeFunctionOptions,
): Promise<EdgeFunction> {
  const dist = await (compiled ??= compileWorker());
  const folder = join(dist, 'functions', crypto.randomUUID());
  await mkdir(folder, { recursive: true });
  const files = { ...edgeFiles({ config: yaml, types, version: '0.0.0' }) };
  // All that is not as it is deployed: the package is the one that was just compiled.
  const modules = ['rollcall/edge', ...types.map((type) => `rollcall/destinations/${type}`)];
  const paths = ['homes/edge.js', ...types.map((type) => `destinations/${type}/index.js`)];
  const imports = Object.fromEntries(modules.map((name, n) => [name, pathToFileURL(join(dist, paths[n] ?? '')).href]));
  files['deno.json'] = JSON.stringify({ imports });
  files['index.ts'] = (files['index.ts'] ?? '').replace('({ config', `({ ${options} config`);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const child = spawn(
    join(ROOT, 'node_modules/.bin/deno'),
    [
      ...'serve --no-prompt --cached-only --node-modules-dir=manual --allow-net --allow-env --allow-sys'.split(' '),
      `--allow-read=${ROOT}`,
      // Of the platform's 256 MB, what JavaScript may use.
      '--v8-flags=--max-old-space-size=192',
      ...'--host 127.0.0.1 --port 0 --config'.split(' '),
      join(folder, 'deno.json'),
      join(folder, 'index.ts'),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        DENO_DIR: join(dist, 'deno'),
        DENO_NO_UPDATE_CHECK: '1',
        NO_COLOR: '1',
        ROLLCALL_EDGE_KEY: EDGE_KEY,
        ...env,
      },
    },
  );
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onCleanup(kill);
  const lines: string[] = [];
  let ready: (url: string) => void;
  const listening = new Promise<string>((resolve) => {
    ready = resolve;
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      const [, at] = /Listening on (http:\/\/\S+)/.exec(line) ?? [];
      if (at !== undefined) ready(at);
    });
  }
  const at = await Promise.race([listening, ended.then(() => undefined)]);
  if (at === undefined) throw new Error(`the function ended at once: ${lines.join('\n')}`);
  const url = `${at.replace('0.0.0.0', '127.0.0.1').replace(/\/$/, '')}/rollcall`;
  const pid = child.pid ?? 0;
  const post: EdgeFunction['post'] = (path, body = '{}', headers = { apikey: EDGE_KEY }) =>
    fetch(`${url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  return {
    url,
    pid,
    lines,
    post,
    kill,
    ended,
    async tick() {
      const answer = await post('/tick');
      const ran = (await answer.json()) as Ran | { readonly error: Problem['problem'] };
      if ('error' in ran) throw new Error(`the invocation could not work: ${ran.error}`);
      return ran;
    },
    cpuMs() {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      // Of its threads, in user and in kernel mode, in hundredths of a second (proc(5), fields 14 and 15).
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    peakMb: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024,
  };
}
