import { onCleanup } from './database.ts';
import { type EdgeFunction, type EdgeFunctionOptions, spawnEdge } from './spawn-edge.ts';

/** Starts the function; it is gone when the test ends. */
export function startEdgeFunction(yaml: string, options: EdgeFunctionOptions): Promise<EdgeFunction> {
  return spawnEdge(yaml, { ...options, onSpawn: onCleanup });
}
