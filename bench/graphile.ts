import type pg from 'pg';
import { Logger, run, runMigrations, type Runner } from 'graphile-worker';
import { Pool } from 'undici';
import type { Sink } from './sink.ts';

const IN_FLIGHT = 50;

/** A well-known queue in Postgres: a row trigger that adds a job for each row, which reads the row and sends it. */
export async function installGraphile(url: string, client: pg.Client): Promise<void> {
  await runMigrations({ connectionString: url, logger: SILENT });
  await client.query(`
    create function public.capture() returns trigger language plpgsql security definer as $$
    begin
      perform graphile_worker.add_job('deliver', json_build_object('id', new.id));
      return new;
    end $$;
    create trigger capture after insert on auth.users for each row execute function public.capture()`);
}

/** Starts its worker, with as many jobs at once as we have requests in flight. */
export async function startGraphile(url: string, sink: Sink): Promise<Runner> {
  const pool = new Pool(sink.url, { connections: IN_FLIGHT });
  return await run({
    connectionString: url,
    concurrency: IN_FLIGHT,
    noHandleSignals: true,
    logger: SILENT,
    maxPoolSize: 10,
    taskList: {
      async deliver(payload, helpers) {
        const { id } = payload as { id: string };
        const { rows } = await helpers.query<{ email: string; name: string }>(
          `select email, raw_user_meta_data ->> 'full_name' as name from auth.users where id = $1`,
          [id],
        );
        const { body } = await pool.request({
          path: '/api/contacts',
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
          body: JSON.stringify({ contact: { email: rows[0]?.email, fields: { FIRSTNAME: rows[0]?.name } } }),
        });
        await body.dump();
      },
    },
  });
}

const SILENT = new Logger(() => () => undefined);
