import { expect, test } from 'vitest';
import { createDatabase, onCleanup, type TestDatabase } from '../database.ts';
import { eventually } from '../people.ts';
import { type CronScheduler, startCron } from './cron-scheduler.ts';
import { createCron } from './cron.ts';

async function start(): Promise<{ readonly db: TestDatabase; readonly cron: CronScheduler }> {
  const db = await createDatabase();
  await createCron(db);
  const cron = startCron(db);
  onCleanup(() => cron.stop());
  return { db, cron };
}

test('a job runs as the role that scheduled it, and its runs are recorded', async () => {
  const { db, cron } = await start();
  await db.sql.query(`select cron.schedule('who', '0 3 * * *', 'select current_user')`);
  await db.sql.query(`select cron.schedule('broken', '0 3 * * *', 'select 1 / 0')`);
  expect(await cron.tick()).toMatchObject([
    { status: 'succeeded', return_message: '1 row' },
    { status: 'failed', return_message: 'ERROR:  division by zero\n' },
  ]);
  const { rows } = await db.app.query(
    `select username, status, end_time >= start_time as ended from cron.job_run_details order by runid`,
  );
  expect(rows.toSorted((a, b) => (a.status < b.status ? 1 : -1))).toEqual([
    { username: 'hosted', status: 'succeeded', ended: true },
    { username: 'hosted', status: 'failed', ended: true },
  ]);
});

test('a name is scheduled once, and seconds are kept by the clock', async () => {
  const { db } = await start();
  const ids = [];
  for (const schedule of ['1 seconds', '1 second'])
    ids.push(await db.sql.query(`select cron.schedule('beat', '${schedule}', 'select 1') as id`));
  expect(ids[0]).toEqual(ids[1]);
  await eventually(
    async () => (await db.app.query(`select from cron.job_run_details where status = 'succeeded'`)).rowCount! >= 1,
  );
  await db.sql.query(`select cron.unschedule('beat')`);
  await expect(db.sql.query(`select cron.unschedule('beat')`)).rejects.toThrow(
    `could not find valid entry for job 'beat'`,
  );
  await expect(db.sql.query(`select cron.schedule('often', '90 seconds', 'select 1')`)).rejects.toThrow(
    'invalid schedule: 90 seconds',
  );
});

test('a job that runs is not started again', async () => {
  const { db, cron } = await start();
  await db.sql.query(`select cron.schedule('held', '0 3 * * *', 'select pg_advisory_xact_lock(1)')`);
  await db.app.query('select pg_advisory_lock(1)');
  const first = cron.tick('held');
  await eventually(async () => (await db.app.query('select from cron.job_run_details')).rowCount === 1);
  const second = cron.tick('held');
  await db.app.query('select pg_advisory_unlock(1)');
  expect(await first).toEqual(await second);
  expect((await db.app.query('select from cron.job_run_details')).rowCount).toBe(1);
});
