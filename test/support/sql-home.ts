import { registry } from '../../src/destinations/registry.ts';
import { applyInstall } from '../../src/sql/apply.ts';
import { projectRef } from '../../src/sql/project-ref.ts';
import { createPlatform, deploySql } from '../integration/sql-home/support.ts';
import { onCleanup } from './database.ts';
import { startNetWorker } from './platform/net-worker.ts';
import { parseWorld, type World } from './world.ts';

/** The database as a process that can be killed: its pump is terminated, and what pg_net had is lost, as in a crash. */
export interface SqlHome {
  signal(name: 'SIGKILL'): void;
  readonly ended: Promise<number | string>;
}

const platforms = new WeakSet<World>();

/** Deploys the SQL home for a world whose options hold their secrets, and runs it until it is killed or the test ends. */
export async function startSqlHome(world: World, type: string): Promise<SqlHome> {
  const { db } = world;
  const secrets = new Map<string, string>();
  const options = registry.find(({ id }) => id === type)?.declare?.(world.config.destinations[0]?.options).auth;
  const names = options === undefined ? [] : 'option' in options ? [options.option] : options.options;
  const yaml = world.yaml.replaceAll(/"(\w+)":"([^"]*)"/g, (all, name: string, value: string) => {
    if (!names.includes(name)) return all;
    secrets.set(name, value);
    return `"${name}":"\${vault:${name}}"`;
  });
  if (!platforms.has(world)) {
    await createPlatform(db, Object.fromEntries(secrets));
    platforms.add(world);
  }
  const config = parseWorld(yaml);
  await applyInstall(db.sql, config, projectRef(db.hostedUrl, undefined));
  await deploySql(db, config);
  const net = startNetWorker(db, { pauseMs: 10, batchSize: 40 });
  const stop = new AbortController();
  const runs = ['call rollcall.pump()', 'call rollcall.upkeep()'].map(async (command) => {
    const client = await db.connect(db.hostedUrl);
    client.on('error', () => undefined);
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const again = async (): Promise<void> => {
      while (!stop.signal.aborted) await client.query(command);
    };
    return { pid: rows[0]!.pid, over: again().catch(() => undefined) };
  });
  const kill = async (): Promise<string> => {
    stop.abort();
    const all = await Promise.all(runs);
    await db.app.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [all.map(({ pid }) => pid)]);
    await Promise.all(all.map(({ over }) => over));
    await net.crash();
    await net.stop();
    return 'SIGKILL';
  };
  await Promise.all(runs);
  let killed: ((how: Promise<string>) => void) | undefined;
  const over = new Promise<string>((resolve) => {
    killed = resolve;
  });
  onCleanup(async () => {
    if (!stop.signal.aborted) await kill();
  });
  return { signal: () => killed?.(kill()), ended: over };
}
