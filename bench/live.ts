import { openPg } from '../src/sql/pg.ts';
import { createStore } from '../src/sql/store/store.ts';
import { setUp, type Setup } from './setup.ts';
import { passed, poll } from './poll.ts';
import { amount, progress, time, type Measured } from './table.ts';
import { startWorker } from './worker.ts';
import { parseBench } from './config.ts';

const TARGET_MS = 2_000;
/** Where the limit decides how long a backfill takes, it is not waited for. */
const BOUND_MS = 60_000;
const BOUND_USERS = 5_000;

/**
 * How long a new sign-up waits while everybody who is there already is sent: by imports at full speed, and one call each at the
 * vendor's own limits, of which the sign-ups would take a third. A worker, and beside it a helper as `rollcall sync` runs one.
 * Commit to accepted; target 2 s.
 */
export async function live({ users }: { users: number }): Promise<readonly Measured[]> {
  const rows: Measured[] = [];
  rows.push(...(await measure('imports', users, 20, 'limits_scale: 10000, concurrency: 50, import_from: 1000')));
  rows.push(...(await measure("Mailtrap's limits", BOUND_USERS, 1, 'import_from: "off"', BOUND_MS)));
  rows.push(
    ...(await measure('ten times these', BOUND_USERS * 2, 10, 'import_from: "off", limits_scale: 10', BOUND_MS)),
  );
  return rows;
}

/** @param mostMs the backfill is left alone after this; waited for when absent */
async function measure(
  name: string,
  users: number,
  perSecond: number,
  destination: string,
  mostMs = Infinity,
): Promise<readonly Measured[]> {
  const at = await setUp('live', destination);
  const config = parseBench(at.yaml);
  const sql = openPg({ url: at.url, applicationName: 'bench' });
  try {
    await thereAlready(at, users);
    const worker = await startWorker(at.yaml);
    // Not by the sweep of a worker that starts.
    const store = createStore(sql, { configHash: config.hash, projectRef: '', environment: 'bench' });
    await store.beginBackfill({ what: 'full' });
    const helper = await startWorker(at.yaml, true);
    const started = performance.now();
    const over = new AbortController();
    const signingUp = signUps(at, perSecond, over.signal);
    await poll(async () => {
      if (performance.now() - started > mostMs) return true;
      const open = await store.openBackfill();
      return open?.walked === true && (await store.backfillPending()).every(({ pending }) => pending === 0);
    }, 100);
    const tookMs = performance.now() - started;
    over.abort();
    const committed = await signingUp;
    await poll(async () => (await at.sink.seen('live')).size >= committed.size, 100);
    const seen = await at.sink.seen('live');
    const sent = (await at.sink.count()) - seen.size;
    await helper.end('SIGTERM');
    await worker.end('SIGTERM');
    const waits = [...committed]
      .map(([email, when]) => Math.max(0, (seen.get(email) ?? Infinity) - when))
      .toSorted((a, b) => a - b);
    const of = (share: number): number =>
      waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Number.NaN;
    progress(`${name}: ${sent} of ${users}, ${waits.length} live, max ${of(1)} ms`);
    return [
      amount(`${name}: of ${users} there already sent`, sent, ''),
      amount(`${name}: in`, tookMs / 1_000, 's'),
      time(`${name}: ${waits.length} sign-ups at ${perSecond}/s meanwhile, p50`, of(0.5), TARGET_MS),
      time(`${name}: p99`, of(0.99), TARGET_MS),
      time(`${name}: longest`, of(1), TARGET_MS),
    ];
  } finally {
    await sql.close();
    await at.close();
  }
}

/** People that no trigger has seen, and that no sweep of a worker that starts is to find before the backfill does. */
async function thereAlready({ client }: Setup, users: number): Promise<void> {
  await client.query('set session_replication_role = replica');
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, updated_at)
     select gen_random_uuid(), 'p' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now(), now()
       from generate_series(1, $1::int) n`,
    [users],
  );
  await client.query('reset session_replication_role');
  await client.query('analyze auth.users');
  await client.query(`update rollcall.install set swept_at = now(), sweep_until = now() + interval '1 hour'`);
}

/** Signs people up at a steady rate until the signal aborts. @returns address -> when its commit was acknowledged */
async function signUps(
  { client }: Setup,
  perSecond: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const committed = new Map<string, number>();
  const started = performance.now();
  for (let n = 0; !signal.aborted; n += 1) {
    const wait = started + (n * 1_000) / perSecond - performance.now();
    if (wait > 1) await passed(wait);
    const email = `live${n}@example.com`;
    await client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       values (gen_random_uuid(), $1, '{"full_name": "Somebody New"}', now())`,
      [email],
    );
    committed.set(email, Date.now());
  }
  return committed;
}
