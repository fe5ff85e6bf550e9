import { parseConfig } from '../config/load.ts';
import type { Env } from '../config/interpolate.ts';
import type { Destination } from '../core/destination.ts';
import type { Logger } from '../engine/ports.ts';
import type { EngineTimes } from '../engine/times.ts';
import { edgeApp } from './edge/app.ts';
import { again } from './edge/again.ts';
import { type Budget, DEFAULT_BUDGET } from './edge/budget.ts';
import { createCallers, secretOf } from './edge/callers.ts';
import { createHomes } from './edge/home.ts';
import { consoleLog } from './edge/log.ts';
import { onUnload, platformEnv, waitUntil } from './edge/platform.ts';
import { EDGE_TIMES } from './edge/run.ts';
import { createRuns } from './edge/runs.ts';

export interface EdgeOptions {
  /** The text of the `rollcall.yaml` that was applied. */
  readonly config: string;
  /** The destinations that it names, each the default export of `rollcall/destinations/<type>`. */
  readonly destinations: readonly Destination<unknown>[];
  /** What `${NAME}` in the config is read from, and our own secrets; that of the platform when absent. */
  readonly env?: Env | undefined;
  /** The text of the certificate that `ssl_root_cert` names. */
  readonly sslRootCert?: string | undefined;
  /** How much one invocation takes; what the platform allows when absent. */
  readonly budget?: Partial<Budget> | undefined;
  /** Other clocks than the engine's own; for tests. */
  readonly times?: Partial<EngineTimes> | undefined;
  /** The console when absent. */
  readonly log?: Logger | undefined;
}

/**
 * The edge home: the same engine as in a worker, in a function that is woken. For `export default serveRollcall({...})`.
 * @throws ConfigErrors when the config is wrong
 */
export function serveRollcall(options: EdgeOptions): { fetch(request: Request): Promise<Response> } {
  const given = options.env ?? platformEnv();
  // So that the config that names it for workers fits here too.
  const env: Env = { ...given, DATABASE_URL: given['DATABASE_URL'] || given['SUPABASE_DB_URL'] };
  const { destinations: registry } = options;
  const config = parseConfig(options.config, { file: 'rollcall.yaml', env, registry });
  const log = options.log ?? consoleLog(config.log.level);
  const homes = createHomes({ config, registry, log, sslRootCert: options.sslRootCert });
  const readSecret = (name: string): Promise<string | undefined> => homes.use(({ sql }) => secretOf(sql, name));
  const callers = createCallers(env, readSecret, () => performance.now());
  const unload = new AbortController();
  onUnload(() => unload.abort());
  const runs = createRuns({
    homes,
    budget: { ...DEFAULT_BUDGET, ...options.budget },
    times: { ...EDGE_TIMES, ...options.times },
    log,
    waitUntil,
    again: () => again(env, callers.ownKey()),
    unload: unload.signal,
  });
  const hookSecrets = (env['ROLLCALL_AUTH_HOOK_SECRET'] ?? '').split('|').filter((secret) => secret !== '');
  const app = edgeApp({ config, homes, callers, runs, hookSecrets, log });
  return { fetch: async (request) => await app.fetch(request) };
}
