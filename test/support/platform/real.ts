import pg from 'pg';
import { openPg } from '../../../src/sql/pg.ts';
import type { Sql } from '../../../src/sql/port.ts';
import { onCleanup } from '../database.ts';
import type { Host } from './extension.ts';

/** The superuser's URL of a database with the real extensions: the stand-ins' tests then hold what they stand for to the same words. */
const REAL = process.env['ROLLCALL_REAL_PLATFORM'];

export const isReal = REAL !== undefined;

/** A test's connections to the database with the real extensions, whose queues, answers and jobs are emptied. */
export async function connectReal(): Promise<Host & { readonly sql: Sql; readonly app: pg.Client }> {
  const app = new pg.Client({ connectionString: REAL });
  await app.connect();
  onCleanup(() => app.end());
  await app.query('truncate net.http_request_queue, net._http_response restart identity');
  await app.query('delete from cron.job');
  await app.query('truncate cron.job_run_details');
  const hosted = new URL(REAL!);
  hosted.username = 'hosted';
  const sql = openPg({ url: hosted.toString() });
  onCleanup(() => sql.close());
  return { url: REAL!, app, sql };
}
