import { expect, test } from 'vitest';
import { checkReplication } from '../../../src/sources/wal/check.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { testConfig } from '../../support/config.ts';
import { onCleanup } from '../../support/database.ts';
import { behind } from '../../support/behind.ts';
import { createOwnDatabase } from '../../support/own-cluster.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { findPooler, startPooler, type Pooler } from '../../support/pooler.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld, type World, type WorldOptions } from '../../support/world.ts';

const binary = findPooler();
if (binary === null) console.warn('pooler.test.ts skipped: no PgBouncer (ROLLCALL_PGBOUNCER, or pgbouncer on PATH)');

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };
const SIZE = 4;

/** A world whose install, workers and commands reach the database through the pooler alone; the app does not. */
async function pooledWorld(options: WorldOptions = {}): Promise<{ readonly world: World; readonly pooler: Pooler }> {
  const direct = await createOwnDatabase();
  const pooler = await startPooler(binary ?? '', direct, SIZE);
  return { world: await createWorld({ ...options, db: behind(direct, pooler.url) }), pooler };
}

async function serverConnections({ db }: World): Promise<readonly number[]> {
  const { rows } = await db.app.query<{ pid: number }>(
    `select pid from pg_stat_activity where usename = 'hosted' and datname = current_database()`,
  );
  return rows.map(({ pid }) => pid);
}

test.skipIf(binary === null)(
  'no two transactions on one server connection: install, two workers, sign-ups, edits, deletions, imports, a sweep, connections that end',
  async () => {
    const { world } = await pooledWorld({
      more: 'brakes: off',
      // An expression is inspected with temporary views.
      mapping: `unconfirmed: true
email: email
user_metadata.full_name: FIRSTNAME
user_metadata.n: N
attributes: { DOMAIN: { sql: "split_part(email, '@', 2)" } }`,
      fields: { FIRSTNAME: 'text', N: 'text', DOMAIN: 'text' },
      destination: 'import_from: 400',
      sandbox: { keepCalls: 20_000, jobStepMs: 50, faults: [{ latencyMs: 5 }] },
    });
    // What this test rests on: one client, another server connection each time.
    // All of them open at once, then one transaction after the other.
    const sleep = (): Promise<unknown> => world.db.sql.query('select pg_sleep(0.1)');
    await eventually(async () => {
      const pids = new Set<unknown>();
      await Promise.all(Array.from({ length: SIZE }, sleep));
      for (let n = 0; n < SIZE; n += 1)
        pids.add((await world.db.sql.query('select pg_backend_pid() as pid'))[0]?.['pid']);
      return pids.size === SIZE;
    });
    const workers = [
      await world.start(world.config, { times: TIMES }),
      await world.start(world.config, { times: TIMES }),
    ];
    await signUpMany(world, 300);
    await world.sandbox.until((state) => state.contactCount > 80);
    for (let n = 1; n <= 5; n += 1) {
      await world.db.app.query(
        `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int) where right(email, 13) like '${n}%'`,
        [n],
      );
      await world.db.app.query(`delete from auth.users where email like 'p%${n}1@example.com'`);
      const some = await serverConnections(world);
      await world.db.app.query('select pg_terminate_backend(p) from unnest($1::int[]) p', [some.slice(0, n)]);
    }
    await world.settled();
    await expectInStep(world);

    // Nobody saw them come or go: a sweep finds them.
    await world.db.app.query(`set session_replication_role = replica`);
    await signUpMany(world, 20, 2_001);
    await world.db.app.query(`delete from auth.users where email like 'p7%@example.com'`);
    await world.db.app.query(`reset session_replication_role; select rollcall.want_sweep('asked', null)`);
    await eventually(async () => !(await world.status()).sweep_wanted);
    await world.settled();
    await expectInStep(world);

    expect((await serverConnections(world)).length).toBeLessThanOrEqual(SIZE);
    // NOTIFY would never arrive: it is noticed, said once by each worker, and nobody who writes is asked to send any.
    await eventually(() => world.logs.filter((line) => line.includes('NOTIFY does not pass this pooler')).length === 2);
    const { rows: armed } = await world.db.app.query('select last_value::int as until from rollcall.armed_until');
    expect(armed).toEqual([{ until: 0 }]);
    for (const worker of workers) await worker.stop();
    const { rows: leased } = await world.db.app.query('select 1 from rollcall.due where token is not null');
    expect(leased).toEqual([]);
    // Nothing of ours stayed behind in a session that others get next.
    const sessions = openPg({ url: world.db.hostedUrl, max: SIZE });
    onCleanup(() => sessions.close());
    await Promise.all(
      Array.from({ length: SIZE }, () =>
        sessions.transaction(async (tx) => {
          await tx.query('select pg_sleep(0.2)');
          const [left] = await tx.query(
            `select (select count(*)::int from pg_prepared_statements) as prepared, (select count(*)::int from pg_cursors where name <> '') as cursors,
                    (select count(*)::int from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()) as temporary,
                    (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
                    (select array_agg(name) from pg_settings where source = 'session'
                       and name not in ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings',
                         'transaction_isolation')) as settings`,
          );
          expect(left).toEqual({ prepared: 0, cursors: 0, temporary: 0, locks: 0, settings: null });
        }),
      ),
    );
  },
);

test.skipIf(binary === null)(
  'the pooler dies and comes back, and one of two workers is killed: the other leads the fold, all in step',
  async () => {
    const { world, pooler } = await pooledWorld({ sandbox: { keepCalls: 20_000, faults: [{ latencyMs: 5 }] } });
    const first = await startWorkerProcess(world.yaml, TIMES);
    const second = await startWorkerProcess(world.yaml, TIMES);
    await signUpMany(world, 200);
    await world.sandbox.until((state) => state.contactCount > 100);
    await pooler.kill();
    await signUpMany(world, 100, 201);
    await pooler.start();
    await world.sandbox.until((state) => state.contactCount > 200);
    first.signal('SIGKILL');
    await signUpMany(world, 100, 301);
    await world.settled();
    await expectInStep(world);
    second.signal('SIGTERM');
    expect(await second.ended).toBe(0);
  },
);

test.skipIf(binary === null)('the write-ahead log is not to be had through it, and that is said', async () => {
  const direct = await createOwnDatabase();
  const { url } = await startPooler(binary ?? '', direct, SIZE);
  await expect(checkReplication(testConfig({ databaseUrl: url }))).rejects.toMatchObject({
    code: 'RC_WAL_POOLER',
    message: expect.stringContaining('a pooler') as string,
  });
});
