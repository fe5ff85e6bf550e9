import type { EngineTimes } from '../../src/engine/times.ts';
import { onCleanup } from './database.ts';
import { compileWorker, spawnWorker, type WorkerProcess } from './spawn-worker.ts';

let compiled: Promise<string> | undefined;

/**
 * Starts a worker and waits until it runs; it is gone when the test ends.
 * @param yaml the config's text
 * @param helper as `rollcall sync` runs one, for a backfill only
 */
export async function startWorkerProcess(
  yaml: string,
  times: Partial<EngineTimes> = {},
  helper = false,
): Promise<WorkerProcess> {
  compiled ??= compileWorker();
  return await spawnWorker(await compiled, yaml, {
    times,
    helper,
    onSpawn: ({ kill, ended }) => {
      onCleanup(async () => {
        kill();
        await ended;
      });
    },
  });
}
