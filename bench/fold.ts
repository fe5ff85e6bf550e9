import type pg from 'pg';
import { startCluster } from '../src/demo/cluster.ts';
import { applyInstall } from '../src/sql/apply.ts';
import { openPg } from '../src/sql/pg.ts';
import { createStore } from '../src/sql/store/store.ts';
import { database } from './database.ts';
import { median } from './stats.ts';
import { type Measured, rate } from './table.ts';
import { parseBench } from './config.ts';

const ROUNDS = 5;
const KEYS = 1_000;

/**
 * The fold alone, in rows a second: rows that all map, and rows of which one in a hundred has a value that cannot be cast.
 * The rounds alternate, so that both meet the same machine; medians.
 */
export async function fold({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '256MB', max_wal_size: '2GB' } });
  try {
    const { url, client } = await database((name) => cluster.url(name), 'fold');
    const config = parseBench(
      `
environment: bench
database_url: ${url}
connectors:
  supabase:
    user_mapping:
      unconfirmed: true
      email: email
      user_metadata.full_name: FIRSTNAME
      user_metadata.age: { to: AGE, type: integer }
destinations: { mailtrap: { api_token: bench } }
consent: { everyone: bench }
`,
    );
    const sql = openPg({ url });
    await applyInstall(sql, config, 'bench');
    const store = createStore(sql, { configHash: config.hash, projectRef: 'bench', environment: config.environment });
    const folded = async (round: number, oneBadIn: number): Promise<number> => {
      await insert(client, `${round}-${oneBadIn}`, users, oneBadIn);
      const started = performance.now();
      while ((await store.fold(KEYS)).taken > 0);
      return (users * 1000) / (performance.now() - started);
    };
    const good: number[] = [];
    const bad: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      good.push(await folded(round, 0));
      bad.push(await folded(round, 100));
    }
    await sql.close();
    await client.end();
    return [
      rate('fold, every row can be mapped (baseline)', median(good)),
      rate('fold, one row in a hundred has a bad cast', median(bad), { baseline: median(good) }),
    ];
  } finally {
    await cluster.destroy();
  }
}

function insert(client: pg.Client, name: string, count: number, oneBadIn: number): Promise<unknown> {
  return client.query(
    `insert into auth.users (id, email, raw_user_meta_data)
     select gen_random_uuid(), $1 || '-' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n,
              'age', case when $3::int > 0 and n % nullif($3::int, 0) = 0 then 'old' else '42' end)
       from generate_series(1, $2::int) n`,
    [name, count, oneBadIn],
  );
}
