import { registry } from '../../src/destinations/registry.ts';
import { configured } from '../../src/homes/configured.ts';
import { resolveConfig } from '../../src/homes/resolve-options.ts';
import { type Deployed, sqlHomeScript } from '../../src/homes/sql.ts';
import { openPg } from '../../src/sql/pg.ts';
import { startCron } from '../../test/support/platform/cron-scheduler.ts';
import { startNetWorker } from '../../test/support/platform/net-worker.ts';
import { parseBench } from '../config.ts';
import type { Home } from './home.ts';

/** The pump in the database, with stand-ins of pg_cron and pg_net that keep the real ones' pace. */
export const sqlHome: Home = {
  name: 'sql',
  async deploy({ url, yaml }) {
    const sql = openPg({ url });
    const config = parseBench(yaml);
    const { config: resolved } = await resolveConfig(config, sql, registry);
    const deployed = resolved.destinations.flatMap((entry): readonly Deployed[] => {
      const found = configured(resolved, entry.name, registry);
      return found === undefined ? [] : [{ ...found, options: entry.options }];
    });
    await sql.transaction((tx) => tx.script(sqlHomeScript(config, deployed)));
    await sql.close();
  },
  async start(place) {
    const net = startNetWorker(place);
    const cron = startCron(place);
    // Its schedule would begin it within ten seconds.
    void cron.tick('rollcall-pump');
    const kill = async (): Promise<void> => {
      await place.app.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pg_cron' and datname = current_database()`,
      );
    };
    return {
      kill,
      async end() {
        await place.app.query('select cron.unschedule(jobid) from cron.job');
        // A run of the pump lasts a minute.
        await kill();
        await cron.stop();
        await net.stop();
      },
    };
  },
};
