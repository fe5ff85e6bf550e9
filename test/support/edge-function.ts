import { onCleanup } from './database.ts';
import { type EdgeFunction, type EdgeFunctionOptions, spawnEdge } from './spawn-edge.ts';

/** Clocks of the engine for tests in which somebody is killed and another one goes on. */
export const SHORT_TIMES: string = `times: { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 },`;

/** Starts the function; it is gone when the test ends. */
export function startEdgeFunction(yaml: string, options: EdgeFunctionOptions): Promise<EdgeFunction> {
  return spawnEdge(yaml, { ...options, onSpawn: onCleanup });
}

/** The edge home of a project: the function, and somebody who wakes it again and again, as the cron job does. */
export async function startEdgeHome(
  yaml: string,
  type: string,
): Promise<{ signal(name: 'SIGKILL'): void; readonly ended: Promise<number | string> }> {
  const edge = await startEdgeFunction(yaml, { types: [type], options: SHORT_TIMES });
  const waking = async (): Promise<void> => {
    for (;;) await edge.tick();
  };
  // Until it is killed.
  waking().catch(() => undefined);
  return { signal: () => void edge.kill(), ended: edge.ended };
}
