import { createClaimBounds, type ClaimBounds } from '../../src/engine/claim-bounds.ts';
import type { Store } from '../../src/engine/ports.ts';
import { openPg } from '../../src/sql/pg.ts';
import { projectRef } from '../../src/sql/project-ref.ts';
import { createStore } from '../../src/sql/store/store.ts';
import { parseBench } from '../config.ts';
import { poll } from '../poll.ts';
import { setUp, type Setup } from '../setup.ts';
import { amount, progress, promise, type Measured } from '../table.ts';

/** So many times the people of the other benches: each changes a few times, as while a pg_dump runs. */
const PEOPLE = 5;
/** Changes made while the snapshot is held. */
const CHANGES = 400_000;
const SLOWER = 1.5;
/** One by one, so that each claim finds one. */
const TRICKLE = 3_000;
const FOLD_KEYS = 1_000;
const LIMITS = [500, 250] as const;
const LANES = [0, 1] as const;
const BUCKET = { name: 'all', intervalUs: 1, burst: 1_000_000 };

/** What is done for a contact on its way from the log to delivered. */
const STEPS = ['claim', 'settle', 'takeSends', 'fold'] as const;
type Step = (typeof STEPS)[number];
/** What each took for one contact, in us. */
type Cost = Readonly<Record<Step, number>>;

/**
 * What fold, claim, permits and settle take for each contact, one after the other with nothing beside them: clean, and after 400,000
 * changes while a snapshot is held open elsewhere (a dashboard, pg_dump), so that nothing dead can be removed. Claims begin where those of a worker do.
 */
export async function snapshot(options: { users: number }): Promise<readonly Measured[]> {
  const users = options.users * PEOPLE;
  const at = await setUp('snapshot', 'limits_scale: 10000, concurrency: 50, import_from: "off"');
  const config = parseBench(at.yaml);
  const sql = openPg({ url: at.url });
  const identity = {
    configHash: config.hash,
    projectRef: projectRef(at.url, undefined),
    environment: config.environment,
  };
  const store = createStore(sql, identity);
  const [destination] = await store.destinations();
  const crew: Crew = { at, store, destination: destination?.id ?? 0, bounds: createClaimBounds(), took: zero() };
  try {
    await at.client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 's' || n || '@example.com', '{"full_name": "Person"}', now() from generate_series(1, $1::int) n`,
      [users],
    );
    await drain(crew);
    await at.client.query('vacuum analyze');
    await wave(crew);
    const clean = await costs(crew, users);
    const holder = await at.connect();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select count(*) from auth.users');
    for (let made = 0; made < CHANGES; made += users) await wave(crew);
    const held = await costs(crew, users);
    await holder.query('rollback');
    await holder.end();
    return [
      ...compared('full claims', clean.wave, held.wave),
      ...compared('claims of one', clean.trickle, held.trickle),
    ];
  } finally {
    await sql.close();
    await at.close();
  }
}

/** A worker's steps, one at a time. */
interface Crew {
  readonly at: Setup;
  readonly store: Store;
  readonly destination: number;
  readonly bounds: ClaimBounds;
  /** What each step took so far, in ms. */
  took: Record<Step, number>;
}

function zero(): Record<Step, number> {
  return { claim: 0, settle: 0, takeSends: 0, fold: 0 };
}

async function costs(crew: Crew, users: number): Promise<{ wave: Cost; trickle: Cost }> {
  const of = async (work: () => Promise<void>, contacts: number): Promise<Cost> => {
    await quiet(crew.at);
    crew.took = zero();
    await work();
    const cost = zero();
    for (const step of STEPS) cost[step] = (crew.took[step] * 1_000) / contacts;
    progress(JSON.stringify(cost));
    return cost;
  };
  return { wave: await of(() => wave(crew), users), trickle: await of(() => trickle(crew), TRICKLE) };
}

let round = 0;

/** Everybody changes in one statement, so that claims are full. */
async function wave(crew: Crew): Promise<void> {
  round += 1;
  await crew.at.client.query(
    `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', 'Person ' || $1::int)`,
    [round],
  );
  await drain(crew);
  progress(`wave ${round}`);
}

async function trickle(crew: Crew): Promise<void> {
  for (let n = 1; n <= TRICKLE; n += 1) {
    await crew.at.client.query(
      `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', gen_random_uuid()) where email = $1`,
      [`s${n}@example.com`],
    );
    await drain(crew);
  }
}

/** Folds the log, and then claims and settles until nothing is due. */
async function drain(crew: Crew): Promise<void> {
  const { store, bounds, destination: id } = crew;
  while ((await timed(crew, 'fold', () => store.fold(FOLD_KEYS))).taken > 0);
  for (let more = true; more;) {
    const lease = { token: crypto.randomUUID(), leaseMs: 60_000, graceMs: 5_000 };
    const now = performance.now();
    const claimed = await timed(crew, 'claim', () =>
      store.claim(id, lease, {
        limits: LIMITS,
        bytes: 16 * 2 ** 20,
        after: bounds.begin(now),
        least: [0, 0],
        consents: [],
        liveWaitMs: 0,
      }),
    );
    bounds.took(performance.now() - now);
    more = false;
    for (const lane of LANES) {
      const found = claimed.filter((each) => each.lane === lane);
      if (bounds.found(lane, found.length, LIMITS[lane], found.at(-1)?.dueAt)) more = true;
    }
    if (claimed.length === 0) continue;
    await timed(crew, 'takeSends', () => store.takeSends(id, [BUCKET], claimed.length));
    const outcome = { kind: 'delivered' } as const;
    const settlements = claimed.map((delivery) => ({ delivery, outcome, waitMs: 0, latencyMs: 1 }));
    await timed(crew, 'settle', () => store.settle(id, lease, settlements));
  }
}

/** Autovacuum would be measured too, which finds a lot to do in vain. */
async function quiet({ client }: Setup): Promise<void> {
  await poll(async () => {
    const { rows } = await client.query(`select from pg_stat_activity where backend_type = 'autovacuum worker'`);
    return rows.length === 0;
  });
}

async function timed<T>(crew: Crew, step: Step, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const made = await work();
  const ms = performance.now() - started;

  crew.took[step] += ms;
  return made;
}

function compared(name: string, clean: Cost, held: Cost): readonly Measured[] {
  return STEPS.flatMap((each) => {
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
