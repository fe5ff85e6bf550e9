import { amount, progress, promise, type Measured } from '../table.ts';
import { startWorker } from '../worker.ts';
import { inStep, setUp, type Setup } from '../setup.ts';

/** So many times the people of the other benches: each changes a few times, as while a pg_dump runs. */
const PEOPLE = 5;
/** Changes made while the snapshot is held. */
const CHANGES = 400_000;
const SLOWER = 1.5;
/** A wave is everybody changed in one statement, so that claims are full. */
const WAVES = 1;
/** And one by one, so that each claim finds one. */
const TRICKLE = 500;

/** The functions of the way from the log to delivered. */
const FUNCTIONS = ['claim', 'settle', 'take_sends', 'fold'] as const;

/** What each cost for one contact, in us, by the database's own clock. */
type Cost = Readonly<Record<(typeof FUNCTIONS)[number], number>>;

/**
 * What claim, settle and fold of a real worker cost for each contact delivered: clean, and after 400,000 changes while a snapshot is
 * held open elsewhere (a dashboard, pg_dump), so that nothing dead can be removed. By pg_stat_statements, which times the database alone.
 */
export async function snapshot(options: { users: number }): Promise<readonly Measured[]> {
  const users = options.users * PEOPLE;
  const at = await setUp('snapshot', 'limits_scale: 10000, concurrency: 50, import_from: "off"', {
    shared_preload_libraries: 'pg_stat_statements',
  });
  await at.client.query('create extension pg_stat_statements');
  const worker = await startWorker(at.yaml);
  try {
    await at.client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 's' || n || '@example.com', '{"full_name": "Person"}', now() from generate_series(1, $1::int) n`,
      [users],
    );
    await inStep(at.client);
    await at.client.query('vacuum analyze');
    await wave(at);
    const clean = { waves: await cost(at, () => waves(at), users * WAVES), trickle: await trickled(at) };
    const holder = await at.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select count(*) from auth.users');
    for (let made = 0; made < CHANGES; made += users) await wave(at);
    const held = { waves: await cost(at, () => waves(at), users * WAVES), trickle: await trickled(at) };
    await holder.query('rollback');
    await holder.end();
    return [
      ...compared('full claims', clean.waves, held.waves),
      ...compared('claims of one', clean.trickle, held.trickle),
    ];
  } finally {
    await worker.end('SIGTERM');
    await at.close();
  }
}

function compared(name: string, clean: Cost, held: Cost): readonly Measured[] {
  return FUNCTIONS.flatMap((each) => {
    const ratio = held[each] / clean[each];
    const what = `${name}: ${each}`;
    return [
      amount(`${what}, a contact, clean`, clean[each], 'us'),
      amount(`${what}, with a snapshot held open`, held[each], 'us'),
      each === 'claim'
        ? promise(`${what}, to clean`, ratio, 'x', ratio <= SLOWER, SLOWER)
        : amount(`${what}, to clean`, ratio, 'x'),
    ];
  });
}

let round = 0;

async function wave({ client }: Setup): Promise<void> {
  round += 1;
  await client.query(
    `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', 'Person ' || $1::int)`,
    [round],
  );
  await inStep(client);
  progress(`wave ${round}`);
}

async function waves(at: Setup): Promise<void> {
  for (let n = 0; n < WAVES; n += 1) await wave(at);
}

function trickled(at: Setup): Promise<Cost> {
  return cost(
    at,
    async () => {
      for (let n = 1; n <= TRICKLE; n += 1) {
        await at.client.query(
          `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', gen_random_uuid()) where email = $1`,
          [`s${n}@example.com`],
        );
        await inStep(at.client, 1);
      }
    },
    TRICKLE,
  );
}

async function cost({ client }: Setup, work: () => Promise<void>, contacts: number): Promise<Cost> {
  await client.query('select pg_stat_statements_reset()');
  await work();
  const { rows } = await client.query<Cost>(
    `select ${FUNCTIONS.map((f) => `(sum(total_exec_time) filter (where query ~ 'rollcall\\.${f}\\('))::float8 * 1000 / $1 as ${f}`).join(', ')}
       from pg_stat_statements`,
    [contacts],
  );
  progress(JSON.stringify(rows[0]));
  return rows[0]!;
}
