import { test } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { createPlatform, deploySql, netWorker, runPump } from './support.ts';
const DEST = {
  mailtrap: (url: string) => `api_token: "\${vault:KEY}"\n  base_url: ${url}\n  limits_scale: 10000`,
  sendry: (url: string) =>
    `api_key: "\${vault:KEY}"\n  base_url: ${url}\n  limits_scale: 10000\n  upsert_keeps_unsubscribed: true\n  import_from: off`,
  webhook: (url: string) => `secret: "\${vault:KEY}"\n  url: ${url}\n  limits_scale: 1000`,
};
for (const id of ['mailtrap', 'sendry'] as const)
  test(
    'speed ' + id,
    async () => {
      const db = await createDatabase();
      const sandbox = await startSandbox({ only: [id], limitsScale: 10_000 });
      const of = sandbox.of(id);
      await createPlatform(db, { KEY: of.token });
      for (const [name, type] of Object.entries({ FIRSTNAME: 'text', N: 'text' } as const))
        (of.standIn as any).addField?.(name, type);
      const world = await createWorld({ db, instead: `${id}:\n  ${DEST[id](of.url)}` });
      await deploySql(db, world.config);
      await db.app.query(`alter database "${db.name}" set track_functions = 'all'`);
      netWorker(db, { pauseMs: 1000 });
      await runPump(db);
      await world.settled();
      const N = 1000;
      await db.app.query('select pg_stat_reset()');
      const t = performance.now();
      await db.app.query(
        `insert into auth.users (id, email, raw_user_meta_data, created_at) select gen_random_uuid(), 'u' || n || '@example.com', jsonb_build_object('full_name', 'U' || n), now() from generate_series(1, ${N}) n`,
      );
      await world.settled(120000);
      console.table(
        (
          await db.app.query(
            `select funcname, calls::int, round(total_time) as total, round(self_time) as self, round((self_time*1000/greatest(calls,1))) as us from pg_stat_user_functions order by self_time desc limit 22`,
          )
        ).rows,
      );
      console.log(
        id,
        N / ((performance.now() - t) / 1000),
        '/s',
        (await db.app.query('select * from rollcall.pump_troubles')).rows,
      );
      await sandbox.close();
    },
    200_000,
  );
