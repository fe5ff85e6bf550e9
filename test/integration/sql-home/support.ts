import { setTimeout as pause } from 'node:timers/promises';
import { type Deployed, sqlHomeScript } from '../../../src/homes/sql.ts';
import { resolveConfig } from '../../../src/homes/resolve-options.ts';
import type { Config } from '../../../src/config/types.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { onCleanup, type TestDatabase } from '../../support/database.ts';
import { createCron } from '../../support/platform/cron.ts';
import { createNet } from '../../support/platform/net.ts';
import { type NetWorker, type NetWorkerOptions, startNetWorker } from '../../support/platform/net-worker.ts';
import { createVault, putSecret } from '../../support/vault.ts';

/** Makes the platform's extensions in a database, as stand-ins. */
export async function createPlatform(db: TestDatabase, secrets: Readonly<Record<string, string>>): Promise<void> {
  await createVault(db);
  await createNet(db);
  await createCron(db);
  for (const [name, value] of Object.entries(secrets)) await putSecret(db, name, value);
}

/** Deploys the SQL home on an install, as the hosted role. */
export async function deploySql(db: Pick<TestDatabase, 'sql'>, config: Config): Promise<void> {
  const resolved = await resolveConfig(config, db.sql, registry);
  const deployed = resolved.config.destinations.map((entry): Deployed => {
    const destination = registry.find(({ id }) => id === entry.type);
    if (destination === undefined) throw new Error(`no destination ${entry.type}`);
    return { entry, destination, options: entry.options };
  });
  await db.sql.transaction((tx) => tx.script(sqlHomeScript(config, deployed)));
}

/** pg_net's worker, ended with the test. */
export function netWorker(db: TestDatabase, options: NetWorkerOptions = { pauseMs: 10 }): NetWorker {
  const worker = startNetWorker(db, options);
  onCleanup(() => worker.stop());
  return worker;
}

/** Runs the pump and the upkeep until the test ends, as pg_cron does: as the hosted role, one run after the other. */
export async function runPump(db: TestDatabase): Promise<void> {
  const stop = new AbortController();
  const repeat = async (command: string, restMs: number): Promise<void> => {
    const client = await db.connect(db.hostedUrl);
    while (!stop.signal.aborted) {
      await client.query(command);
      await pause(restMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const runs = Promise.all([repeat(`call rollcall.pump('1 second')`, 0), repeat('call rollcall.upkeep()', 200)]);
  runs.catch(() => undefined);
  onCleanup(async () => {
    stop.abort();
    await runs;
  });
}
