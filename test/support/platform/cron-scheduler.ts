import { setTimeout as pause } from 'node:timers/promises';
import { Cron } from 'croner';
import pg from 'pg';
import type { Host } from './extension.ts';

interface Job {
  readonly jobid: string;
  readonly schedule: string;
  readonly command: string;
  readonly username: string;
  readonly database: string;
}

/** How a run of a job ended, as `cron.job_run_details` has it. */
export interface CronRun {
  readonly jobid: string;
  readonly status: 'succeeded' | 'failed';
  readonly return_message: string;
}

/** The background worker of pg_cron, in the test's process. */
export interface CronScheduler {
  /** Runs the active jobs now, or those of a name, beside what the clock starts, and waits for them. A running one is not started twice. */
  tick(jobname?: string): Promise<readonly CronRun[]>;
  /** No job is started any more; those that run are waited for. */
  stop(): Promise<void>;
}

const JOBS = `
select jobid, schedule, command, username, database from cron.job
 where active and database = current_database() and ($1::text is null or jobname = $1) order by jobid`;
const START = `
insert into cron.job_run_details (jobid, database, username, command, status, start_time, job_pid)
values ($1, $2, $3, $4, 'running', clock_timestamp(), $5) returning runid`;
const END = `update cron.job_run_details set status = $2, return_message = $3, end_time = clock_timestamp() where runid = $1`;
const RESTARTED = `update cron.job_run_details set status = 'failed', return_message = 'server restarted' where status = 'running'`;

const LOOK_MS = 100;

/**
 * Starts it on a database with `createCron`. Each run has its own connection, as the job's role.
 * @param maxRunning jobs at once; the rest wait for their turn
 */
export function startCron(host: Host, maxRunning = 8): CronScheduler {
  const ends = new AbortController();
  const running = new Map<string, Promise<CronRun>>();
  const next = new Map<string, number>();
  const own = new pg.Pool({ connectionString: host.url, max: 4, application_name: 'pg_cron scheduler' });
  own.on('error', () => undefined);

  const run = async (job: Job): Promise<CronRun> => {
    const client = new pg.Client({ connectionString: urlOf(host.url, job), application_name: 'pg_cron' });
    client.on('error', () => undefined);
    let [runid, status, message]: [unknown, CronRun['status'], string] = [undefined, 'failed', ''];
    try {
      await client.connect();
      const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
      runid = (await own.query(START, [job.jobid, job.database, job.username, job.command, pid])).rows[0].runid;
      const results = [await client.query(job.command)].flat();
      message = tagOf(results.at(-1)!);
      status = 'succeeded';
    } catch (error) {
      message = `ERROR:  ${(error as Error).message}\n`;
    }
    await client.end().catch(() => undefined);
    if (runid !== undefined) await own.query(END, [runid, status, message]).catch(() => undefined);
    return { jobid: job.jobid, status, return_message: message };
  };

  const launch = (job: Job): Promise<CronRun> => {
    const already = running.get(job.jobid);
    if (already !== undefined) return already;
    const started = run(job).finally(() => running.delete(job.jobid));
    running.set(job.jobid, started);
    return started;
  };

  const look = async (): Promise<void> => {
    const { rows } = await own.query<Job>(JOBS, [null]);
    for (const job of rows) {
      const key = `${job.jobid} ${job.schedule}`;
      const at = next.get(key) ?? nextRun(job.schedule, Date.now());
      const due = at <= Date.now() && !running.has(job.jobid) && running.size < maxRunning;
      next.set(key, due ? nextRun(job.schedule, Date.now()) : at);
      if (due) void launch(job);
    }
  };

  const loop = (async (): Promise<void> => {
    let fresh = true;
    while (!ends.signal.aborted) {
      try {
        if (fresh) await own.query(RESTARTED);
        fresh = false;
        await look();
      } catch {
        fresh = true;
      }
      await pause(LOOK_MS, undefined, { signal: ends.signal }).catch(() => undefined);
    }
  })();

  return {
    async tick(jobname) {
      const { rows } = await own.query<Job>(JOBS, [jobname ?? null]);
      return Promise.all(rows.map(launch));
    },
    async stop() {
      ends.abort();
      await loop;
      await Promise.all(running.values());
      await own.end();
    },
  };
}

/** Only the last result of a job is told. */
function tagOf({ fields, command, rowCount }: pg.QueryResult): string {
  if (fields.length > 0) return `${rowCount} row${rowCount === 1 ? '' : 's'}`;
  return rowCount === null ? command : `${command}${command === 'INSERT' ? ' 0' : ''} ${rowCount}`;
}

/** `5 seconds` counts from the last start, anything else is a cron expression in GMT. */
function nextRun(schedule: string, now: number): number {
  const seconds = /^\s*(\d+)\s+seconds?\s*$/i.exec(schedule)?.[1];
  if (seconds !== undefined) return now + Number(seconds) * 1000;
  return new Cron(schedule, { paused: true, timezone: 'UTC' }).nextRun(new Date(now))?.getTime() ?? Infinity;
}

function urlOf(url: string, job: Job): string {
  const parsed = new URL(url);
  parsed.username = job.username;
  parsed.pathname = `/${job.database}`;
  return parsed.toString();
}
