import { readFileSync } from 'node:fs';
import { inStep, setUp } from './setup.ts';
import { passed, poll } from './poll.ts';
import { amount, type Measured } from './table.ts';
import { startWorker } from './worker.ts';

const QUIET_MS = 60_000;
/** After a start: connections open, the first sweep comes to its end, what was made meanwhile is collected. */
const SETTLE_MS = 10_000;
const CPU_TARGET = 1;
const MEMORY_TARGET = 120;

/** What a worker costs while nothing happens, for a minute: its processor time and memory, and what it asks of the database. */
export async function idle({ users }: { users: number }): Promise<readonly Measured[]> {
  const at = await setUp('idle', 'limits_scale: 10000', { shared_preload_libraries: 'pg_stat_statements' });
  try {
    await at.client.query('create extension pg_stat_statements');
    await at.client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 'i' || n || '@example.com', '{"full_name": "Person"}', now() from generate_series(1, $1::int) n`,
      [users],
    );
    const first = await startWorker(at.yaml);
    await inStep(at.client);
    await first.end('SIGTERM');
    // One that has had nothing to do yet: what delivering leaves in memory is another question.
    const worker = await startWorker(at.yaml);
    await poll(async () => {
      const { rows } = await at.client.query<{ done: boolean }>(
        'select swept_at is not null and coalesce(sweep_until < now(), true) as done from rollcall.install',
      );
      return rows[0]?.done === true;
    });
    await passed(SETTLE_MS);
    const backends = await at.client.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'rollcall'`,
    );
    const pids = backends.rows.map(({ pid }) => pid);
    await at.client.query('select pg_stat_statements_reset()');
    const before = { worker: worker.used()?.cpuMs ?? 0, database: cpuOf(pids) };
    await passed(QUIET_MS);
    const after = { worker: worker.used(), database: cpuOf(pids) };
    const { rows } = await at.client.query<{ calls: number }>(
      `select sum(calls)::float8 as calls from pg_stat_statements where query not like '%pg_stat_statements%'`,
    );
    await worker.end('SIGTERM');
    const share = (ms: number): number => (ms * 100) / QUIET_MS;
    return [
      bounded(
        'processor time of the worker, of a core',
        share((after.worker?.cpuMs ?? 0) - before.worker),
        '%',
        CPU_TARGET,
      ),
      bounded('memory of the worker', after.worker?.rssMb ?? Number.NaN, 'MB', MEMORY_TARGET),
      amount('its connections', pids.length, ''),
      amount('statements', ((rows[0]?.calls ?? 0) * 1_000) / QUIET_MS, '/s'),
      amount('processor time of its connections, of a core', share(after.database - before.database), '%'),
    ];
  } finally {
    await at.close();
  }
}

/** A figure that should be at most its target. */
function bounded(name: string, value: number, unit: string, target: number): Measured {
  return { ...amount(name, value, unit), target, toTarget: Math.round((target / value) * 100) / 100 };
}

/** Processor time of some processes, in ms; see `Worker.used`. Linux only. */
function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return sum + (Number(stat[11]) + Number(stat[12])) * 10;
    } catch {
      return sum;
    }
  }, 0);
}
