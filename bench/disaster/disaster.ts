import type pg from 'pg';
import { startCluster } from '../../src/demo/cluster.ts';
import { connected } from '../database.ts';
import { homeNamed } from '../homes/all.ts';
import type { AtWork } from '../homes/home.ts';
import { KEY, placeFor } from '../homes/place.ts';
import { passed } from '../poll.ts';
import { installRecipe, startPgNet } from '../recipe.ts';
import { startSink } from '../sink.ts';
import { startStandIns } from '../stand-ins.ts';
import { amount, promise, type Measured } from '../table.ts';
import { disaster as happen } from './scenario.ts';

const WRITERS = 8;
const FAILING_MS = 6_000;
const LONGEST_MS = 5 * 60_000;

/**
 * What the pg_net recipe delivered 36% in: people sign up at full speed, the destination answers 500 for six seconds, Postgres is
 * stopped at once (as `pg_ctl stop -m immediate`), what delivers is killed (`kill -9`). The recipe's trigger and a model of pg_net's worker
 * (see `startPgNet`) go through the same, with a sink of their own. Fails unless everybody is delivered and no sign-up failed for
 * another reason than that Postgres was down.
 * @param home which of the three delivers
 */
export async function disaster({ users, home: name }: { users: number; home: string }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '2GB' } });
  const sink = await startSink();
  const standIns = await startStandIns(Infinity);
  const home = homeNamed(name);
  let atWork: AtWork | undefined;
  try {
    const { url: apiUrl, token } = await standIns.of('mailtrap');
    await standIns.addField('mailtrap', 'FIRSTNAME', 'text');
    const place = await placeFor(home, {
      url: (database) => cluster.url(database),
      name: 'disaster',
      token,
      config: {
        destination: `api_token: "\${vault:${KEY}}", base_url: "${apiUrl}", limits_scale: 10000, concurrency: 50`,
        mapping: [],
        more: ['delivery: { grace: 5s }'],
      },
    });
    const { url, client } = place;
    await installRecipe(client);
    await client.end();
    atWork = await home.start(place);
    const connect = (): Promise<pg.Client> => connected(url);
    const pgNet = startPgNet(connect, sink.url);
    const begunAt = performance.now();
    const { people, triedAgain, failed } = await happen({
      signUps: users,
      writers: WRITERS,
      failingMs: FAILING_MS,
      connect,
      failing: async (on) => {
        await Promise.all([standIns.faults(on ? [{ status: 500 }] : []), sink.failing(on)]);
      },
      stopPostgres: () => cluster.crash(),
      startPostgres: () => cluster.start(),
      killWorker: async () => atWork?.kill(),
    });
    const healedAt = performance.now();
    const app = await connect();
    // Nothing goes wrong any more: what its queue holds by now would arrive.
    await pgNet.stop();
    const { rows } = await app.query<{ n: number }>('select count(*)::int as n from public.http_queue');
    const byRecipe = pgNet.accepted + (rows[0]?.n ?? 0);
    const quiet = await settled(app);
    const tookMs = performance.now() - healedAt;
    const dead = await app.query('select from rollcall.dead_letters');
    await app.end();
    const there = await standIns.people('mailtrap');
    const right = [...people].filter(([address, name]) => there.get(address) === name).length;
    return [
      promise('delivered', right, `of ${users}`, right === users && there.size === users, users),
      amount("delivered by the pg_net recipe's model", byRecipe, `of ${users}`),
      amount('  that is', (byRecipe * 100) / users, '%'),
      promise('sign-ups that failed while Postgres was up', failed.length, '', failed.length === 0, 0),
      amount('sign-ups tried again as Postgres was down', triedAgain, ''),
      promise(
        'contacts still due, or given up',
        quiet + (dead.rowCount ?? 0),
        '',
        quiet + (dead.rowCount ?? 0) === 0,
        0,
      ),
      amount('from the first sign-up until nothing was broken', (healedAt - begunAt) / 1_000, 's'),
      amount('from then until nothing was due', tookMs / 1_000, 's'),
    ];
  } finally {
    await atWork?.end();
    await standIns.close();
    sink.close();
    await cluster.destroy();
  }
}

/** Waits until the log is folded and nothing is due, for as long as it may take at most. @returns how many are due then */
async function settled(app: pg.Client): Promise<number> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    const { rows } = await app.query<{ due: number; lag: number }>(
      'select rollcall.fold_lag_ms()::float8 as lag, (select count(*)::int from rollcall.due) as due',
    );
    const { due = 0, lag = 0 } = rows[0] ?? {};
    if ((due === 0 && lag === 0) || performance.now() > deadline) return due;
    await passed(20);
  }
}
