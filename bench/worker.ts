import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runWorker } from '../src/homes/worker.ts';
import { parseBench } from './config.ts';

/** A worker in a process of its own, which can be measured and killed. */
export interface Worker {
  readonly pid: number;
  /** Live objects on its heap, in MB, after a collection; undefined when it has ended. */
  heapMb(): Promise<number | undefined>;
  /** What the system says of it; undefined when it has ended. Linux only. */
  used(): Used | undefined;
  /** Ends it by this signal and waits for its end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface Used {
  /** Memory it has now, and the most it ever had, in MB. */
  readonly rssMb: number;
  readonly peakMb: number;
  /** Time of the processor it has taken, in ms. */
  readonly cpuMs: number;
}

/** How many ticks of the processor's clock are a second: the same on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_S = 100;
const SILENT = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/**
 * Starts a worker and waits until it runs.
 * @param yaml the config's text
 * @param helper as `rollcall sync` runs one, for a backfill only
 * @throws Error when it ends before it runs
 */
export async function startWorker(yaml: string, helper = false): Promise<Worker> {
  const child = fork(fileURLToPath(import.meta.url), ['worker', yaml, String(helper)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const first = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
  if (first === undefined) throw new Error('a worker of the bench ended before it ran');
  const pid = child.pid ?? 0;
  return {
    pid,
    heapMb: () => askHeap(child, ended),
    used: () => usedBy(pid),
    async end(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

async function askHeap(child: ChildProcess, ended: Promise<unknown>): Promise<number | undefined> {
  if (!child.connected) return undefined;
  const answer = once(child, 'message');
  child.send('heap', () => undefined);
  const found = (await Promise.race([answer, ended.then(() => undefined)])) as [number] | undefined;
  return found?.[0];
}

function usedBy(pid: number): Used | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const mb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024;
    // What is in brackets is the program's name, which may hold blanks.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    const ticks = Number(stat[11]) + Number(stat[12]);
    return { rssMb: mb('VmRSS'), peakMb: mb('VmHWM'), cpuMs: (ticks * 1_000) / TICKS_PER_S };
  } catch {
    return undefined;
  }
}

if (process.argv[2] === 'worker') {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  // Nobody is left who would end it.
  process.once('disconnect', () => process.exit(1));
  process.on('message', () => {
    globalThis.gc?.();
    process.send?.(process.memoryUsage().heapUsed / 2 ** 20);
  });
  const config = parseBench(process.argv[3] ?? '');
  await runWorker(
    { config, log: SILENT, helper: process.argv[4] === 'true', onReady: () => process.send?.('ready') },
    stop.signal,
  );
  process.exit(0);
}
