import type { EngineTimes } from '../../src/engine/times.ts';
import { onCleanup } from './database.ts';
import { compileWorker, type SpawnOptions, spawnWorker, type WorkerProcess } from './spawn-worker.ts';

let compiled: Promise<string> | undefined;

/**
 * Starts a worker and waits until it runs; it is gone when the test ends.
 * @param yaml the config's text
 * @param helper as `rollcall sync` runs one, for a backfill only
 * @param more what is loaded before it, and its environment
 */
export async function startWorkerProcess(
  yaml: string,
  times: Partial<EngineTimes> = {},
  helper = false,
  more: Pick<SpawnOptions, 'preload' | 'env'> = {},
): Promise<WorkerProcess> {
  compiled ??= compileWorker();
  return await spawnWorker(await compiled, yaml, {
    ...more,
    times,
    helper,
    onSpawn: (child) => {
      onCleanup(async () => {
        child.kill();
        await child.ended;
      });
    },
  });
}
