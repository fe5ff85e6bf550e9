import { redact } from '../../core/redact.ts';
import { quoteLiteral } from '../../sql/quote.ts';
import { homeStates } from './installed.ts';
import { count } from '../layout.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

/** A job of pg_cron. Its command is not read: it may hold a key. */
export interface CronJob {
  readonly id: string;
  readonly name: string | null;
  readonly schedule: string;
  readonly active: boolean;
  /** Its last run: `succeeded`, `failed`, `running`; null when it never ran. */
  readonly last: string | null;
  readonly message: string | null;
  /** Runs of the last day that failed, and all of them. */
  readonly failed: number;
  readonly runs: number;
  /** Since its last run began; null when it never ran. */
  readonly age_s: number | null;
}

interface Facts {
  readonly installed: boolean;
  readonly jobs: readonly CronJob[];
  readonly history: number;
  /** Homes that live on ticks. */
  readonly homes: readonly string[];
}

const OURS = /^rollcall-/;
const LONG_HISTORY = 100_000;
const MESSAGE = 160;
/** A job of every minute, or of seconds, has run within this time. */
const IDLE_S = 300;

/** pg_cron: whether it runs, and what fails. */
export const cron: Check<Facts> = {
  area: 'pg_cron',
  async read({ sql }) {
    const homes = (await homeStates(sql)).filter(({ home, current }) => current && home !== 'worker');
    const names = homes.map(({ home }) => home);
    const [there] = await sql.query<{ jobs: boolean; runs: boolean }>(
      `select to_regclass('cron.job') is not null as jobs, to_regclass('cron.job_run_details') is not null as runs`,
    );
    if (there?.jobs !== true) return { installed: false, jobs: [], history: 0, homes: names };
    const runs = there.runs
      ? `left join lateral (select d.status, d.return_message, d.start_time from cron.job_run_details d where d.jobid = j.jobid
            order by d.runid desc limit 1) l on true
         left join lateral (select count(*)::int as runs, count(*) filter (where d.status = 'failed')::int as failed
            from cron.job_run_details d where d.jobid = j.jobid and d.start_time > now() - interval '1 day') t on true`
      : 'cross join (select null::text as status, null::text as return_message, null::timestamptz as start_time) l cross join (select 0 as runs, 0 as failed) t';
    const jobs = await sql.query<CronJob & { [column: string]: unknown }>(
      `select j.jobid::text as id, j.jobname::text as name, j.schedule, j.active, l.status as last, l.return_message as message,
              coalesce(t.failed, 0) as failed, coalesce(t.runs, 0) as runs, extract(epoch from now() - l.start_time)::float8 as age_s
         from cron.job j ${runs} order by j.jobid`,
    );
    const [history] = there.runs
      ? await sql.query<{ n: number }>('select count(*)::int as n from cron.job_run_details')
      : [];
    return { installed: true, jobs, history: history?.n ?? 0, homes: names };
  },
  judge({ installed, jobs, history, homes }) {
    if (!installed) return homes.length > 0 ? [] : [ok('not installed, and no home at work needs it')];
    const findings: Finding[] = jobs.flatMap(troubles);
    if (homes.length > 0 && !jobs.some(({ name }) => OURS.test(name ?? ''))) {
      findings.push(
        error(
          'RC_CRON_MISSING',
          `The ${homes.join(' and the ')} home delivers here, and no job named rollcall-... wakes it.`,
          homes.map((home) => `rollcall deploy ${home}`).join(' && '),
        ),
      );
    }
    const frequent = jobs.filter(
      ({ active, schedule }) => active && /^\* \* \* \* \*$|^\d+ seconds?$/.test(schedule.trim()),
    );
    if (frequent.length > 0 && frequent.every(({ age_s: age }) => age !== null && age > IDLE_S)) {
      findings.push(
        error(
          'RC_CRON_STOPPED',
          'No job of every minute has run for five minutes: the scheduler of pg_cron does not run.',
          'Restart the project (dashboard, Settings, General); self-hosted: shared_preload_libraries must name pg_cron, and cron.database_name this database.',
        ),
      );
    }
    if (history > LONG_HISTORY) {
      findings.push(
        warn(
          'RC_CRON_HISTORY',
          `cron.job_run_details has ${history.toLocaleString('en-US')} rows, and nothing removes them.`,
          `delete from cron.job_run_details where end_time < now() - interval '7 days';`,
        ),
      );
    }
    return findings.length > 0 ? findings : [ok(`${count(jobs.length, 'job')}, and none fails`)];
  },
};

function troubles(job: CronJob): readonly Finding[] {
  const label = job.name === null ? `number ${job.id}` : `"${job.name}"`;
  const ours = OURS.test(job.name ?? '');
  if (!job.active) {
    if (!ours) return [];
    return [
      error('RC_CRON_OFF', `The job ${label} is switched off.`, `select cron.alter_job(${job.id}, active := true);`),
    ];
  }
  if (job.last !== 'failed') return [];
  const said = job.message === null ? '' : `: ${redact(job.message).slice(0, MESSAGE)}`;
  const what = `The job ${label} fails, ${job.failed} of ${job.runs} times within a day${said}`;
  const look = `select start_time, status, return_message from cron.job_run_details where jobid = ${job.id} order by runid desc limit 20;`;
  const fix = ours ? `rollcall apply && rollcall deploy sql  -- or deploy edge; its runs: ${look}` : look;
  return [
    ours
      ? error('RC_CRON_FAILED', what, fix)
      : warn(
          'RC_CRON_FAILED',
          what,
          `${look}  -- or: select cron.unschedule(${job.name === null ? job.id : quoteLiteral(job.name)});`,
        ),
  ];
}
