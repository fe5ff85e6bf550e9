import type { Env } from '../config/interpolate.ts';
import type { Config } from '../config/types.ts';
import type { Logger, Send } from '../engine/ports.ts';
import type { Registry } from '../homes/configured.ts';
import { consoleLog } from '../homes/edge/log.ts';
import { openDatabase } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { createFetchSend } from '../transport/fetch.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { createDirect, type Direct } from './direct.ts';
import { configFrom, type ConfigSource } from './sdk-config.ts';

export interface HostOptions extends ConfigSource {
  /** What `${NAME}` in the config is read from, `DATABASE_URL` and `SUPABASE_URL` among them; `process.env` when absent. */
  readonly env?: Env | undefined;
  /** Warnings and errors on the console when absent. */
  readonly log?: Logger | undefined;
  /** Sends in place of the platform's own: to destinations, and to the project. */
  readonly fetch?: typeof fetch | undefined;
}

/** What the library works with, each made when it is first needed and kept until `close`. */
export interface Host {
  readonly log: Logger;
  readonly fetch: typeof fetch | undefined;
  readonly send: Send;
  /** The environment, with what `connect` has said. */
  readonly env: () => Env;
  /** Puts variables over those of the environment; what was read from them before is read again. */
  readonly give: (env: Env) => void;
  readonly registry: () => Promise<Registry>;
  /** @throws what `configFrom` throws */
  readonly config: () => Promise<Config>;
  /** The config that was read last; undefined before. */
  readonly known: () => Config | undefined;
  /** Undefined where the config has no database URL. @throws what `openDatabase` throws */
  readonly database: () => Promise<Sql | undefined>;
  /** One for all calls, as its limits count them together. @throws what `configFrom` throws */
  readonly direct: () => Promise<Direct>;
  /** Work with what was opened: none of it is closed before that is over. */
  readonly during: <Value>(work: () => Promise<Value>) => Promise<Value>;
  /** Aborts at the next `close`, for whoever waits or goes on for long. */
  readonly stopping: () => AbortSignal;
  /** Ends the waiting, lets work come to its end and closes everything. */
  readonly close: () => Promise<void>;
}

export function createHost(options: HostOptions): Host {
  const log = options.log ?? consoleLog('warn');
  const connect = (): { readonly send: Send; close(): Promise<void> } =>
    options.fetch === undefined
      ? createUndiciSend()
      : { send: createFetchSend({ fetch: options.fetch }), close: (): Promise<void> => Promise.resolve() };
  let transport = connect();
  let given: Env = {};
  let config: Promise<Config> | undefined;
  let sql: Promise<Sql | undefined> | undefined;
  let direct: Direct | undefined;
  const env = (): Env => ({ ...(options.env ?? process.env), ...given });
  // Loaded when it is needed: a module that awaits while it is loaded cannot be required.
  const registry = async (): Promise<Registry> => (await import('../destinations/registry.ts')).registry;
  const busy = new Set<Promise<unknown>>();
  let closing: Promise<unknown> = Promise.resolve();
  let stop = new AbortController();
  // Whoever works with the old connections keeps them; for the next there are others.
  const forget = (): void => {
    const open = sql;
    config = undefined;
    sql = undefined;
    direct = undefined;
    if (open === undefined) return;
    const closed = Promise.allSettled(busy).then(async () => await (await open)?.close());
    closing = Promise.allSettled([closing, closed]);
  };
  let known: Config | undefined;
  const readConfig = async (): Promise<Config> => (known = await configFrom(options, env(), await registry()));
  const host: Host = {
    log,
    fetch: options.fetch,
    send: (...args) => transport.send(...args),
    env,
    give(more) {
      given = { ...given, ...more };
      forget();
    },
    registry,
    known: () => known,
    config: () =>
      (config ??= readConfig().catch((error: unknown) => {
        config = undefined;
        throw error;
      })),
    database: () =>
      (sql ??= open(host).catch((error: unknown) => {
        sql = undefined;
        throw error;
      })),
    async direct() {
      const [read, destinations] = await Promise.all([host.config(), registry()]);
      direct ??= createDirect({ config: read, registry: destinations, send: host.send, log, stopping: stop.signal });
      return direct;
    },
    async during(work) {
      const running = work();
      busy.add(running);
      try {
        return await running;
      } finally {
        busy.delete(running);
      }
    },
    stopping: () => stop.signal,
    async close() {
      stop.abort();
      stop = new AbortController();
      await Promise.allSettled(busy);
      forget();
      await closing;
      const old = transport;
      transport = connect();
      await old.close();
    },
  };
  return host;
}

async function open({ config, log }: Host): Promise<Sql | undefined> {
  const read = await config();
  // With API keys alone there is a state database where the config names one; else what can be is sent at once.
  if (read.databaseUrl === undefined && read.api?.named !== true) return undefined;
  return await openDatabase(read, log, { max: 4 });
}
