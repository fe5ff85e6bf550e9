import type pg from 'pg';
import { amount, progress, promise, type Measured } from '../table.ts';
import { poll } from '../poll.ts';
import { startWorker } from '../worker.ts';
import { snapshot } from './held-snapshot.ts';
import { inStep, setUp } from '../setup.ts';
import { tableSizes, totalMb } from '../sizes.ts';

/** Rows of one statement of the writer, and how far it may be ahead of the fold. */
const STATEMENT = 5_000;
const AHEAD = 4;
/** Of so many statements one changes what is mapped; the others are sign-ins, as in life most changes are. */
const MAPPED_OF = 2;
/** Where the sizes are taken, as shares of all changes; growth is that from the first to the last. */
const MARKS = [0.1, 0.2, 0.5, 1];
const GROWTH = 2;
const SHOWN = 5;

/**
 * So many changes to a constant set of contacts, written in statements of 5,000 rows as fast as a worker keeps up with, with what is
 * mapped changed in every second one: what the tables of Rollcall take at a tenth of them and at all of them. Then what a claim costs
 * while a snapshot is held open elsewhere. Autovacuum as Supabase has it, which is Postgres' own default.
 */
export async function hygiene({ users, changes }: { users: number; changes: number }): Promise<readonly Measured[]> {
  const growth = await grown(users, changes);
  return [...growth, ...(await snapshot({ users }))];
}

async function grown(users: number, changes: number): Promise<readonly Measured[]> {
  const at = await setUp('hygiene', 'limits_scale: 10000, concurrency: 50');
  const worker = await startWorker(at.yaml);
  try {
    await signUp(at.client, users);
    await inStep(at.client);
    await at.sink.reset();
    const rows: Measured[] = [];
    const totals: number[] = [];
    const begun = performance.now();
    let made = 0;
    for (const mark of MARKS) {
      for (; made < changes * mark; made += STATEMENT) await change(at.client, made / STATEMENT, users);
      await inStep(at.client);
      const sizes = await tableSizes(at.client);
      totals.push(totalMb(sizes));
      progress(`${made} changes: ${totalMb(sizes).toFixed(1)} MB`);
      rows.push(amount(`size after ${made} changes`, totalMb(sizes), 'MB'));
      const largest = [...sizes].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN);
      for (const [name, bytes] of largest) rows.push(amount(`  ${name}`, bytes / 2 ** 20, 'MB'));
    }
    const seconds = (performance.now() - begun) / 1_000;
    const ratio = (totals.at(-1) ?? 0) / (totals[0] ?? 1);
    return [
      ...rows,
      amount('changes, captured to in step', made / seconds, '/s'),
      amount('calls', await at.sink.calls(), ''),
      promise(`growth from ${made * MARKS[0]!} changes to ${made}`, ratio, 'x', ratio <= GROWTH, GROWTH),
    ];
  } finally {
    await worker.end('SIGTERM');
    await at.close();
  }
}

async function signUp(client: pg.Client, users: number): Promise<void> {
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at, last_sign_in_at)
     select gen_random_uuid(), 'h' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now(), now()
       from generate_series(1, $1::int) n`,
    [users],
  );
  // So that the app's own statement finds its rows by their keys, however many versions there are of them.
  await client.query(
    `create table public.people as select row_number() over (order by id)::int as n, id from auth.users`,
  );
  await client.query('alter table public.people add primary key (n)');
}

/** One statement of the app; the next one waits while the fold is too far behind. */
async function change(client: pg.Client, n: number, users: number): Promise<void> {
  const from = (n * STATEMENT) % users;
  const set =
    n % MAPPED_OF === 0
      ? `raw_user_meta_data = jsonb_build_object('full_name', 'Person ' || $3::int)`
      : `last_sign_in_at = now() + $3::int * interval '1 second'`;
  await client.query(
    `update auth.users u set ${set}, updated_at = now() from public.people p
      where p.n > $1::int and p.n <= $1::int + $2::int and u.id = p.id`,
    [from, Math.min(STATEMENT, users), n],
  );
  await poll(async () => {
    const { rows } = await client.query<{ ahead: number }>(
      `select count(*)::int as ahead from (
         select xid from rollcall.changes_0 union all select xid from rollcall.changes_1 union all select xid from rollcall.changes_2) c
       where not pg_visible_in_snapshot(c.xid, (select p.lo from rollcall.fold_position p order by p.id desc limit 1))`,
    );
    return (rows[0]?.ahead ?? 0) < AHEAD * (STATEMENT / 1_000);
  });
}
