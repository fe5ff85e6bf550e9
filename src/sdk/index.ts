/**
 * The library: load a config and run a worker inside your own process.
 *
 * @example
 * import { readConfig, runWorker } from 'rollcall';
 * const stop = new AbortController();
 * const config = await readConfig('rollcall.yaml', process.env);
 * await runWorker({ config, log: console }, stop.signal);
 * @module
 */
import { readConfig as read } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { registry } from '../destinations/registry.ts';

export type { Config, ConfigWarning, DestinationConfig } from '../config/types.ts';
export { formatPlace, type Place, RollcallError } from '../core/errors.ts';
export type { Logger } from '../engine/ports.ts';
export { runWorker, type WorkerOptions } from '../homes/worker.ts';

/**
 * Reads and checks a `rollcall.yaml`.
 * @param env what `${NAME}` is read from
 * @throws RollcallError with code `RC_CONFIG_NOT_FOUND`, `RC_CONFIG_UNREADABLE` or `RC_CONFIG_INVALID`
 */
export function readConfig(path: string, env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  return read(path, env, registry);
}
