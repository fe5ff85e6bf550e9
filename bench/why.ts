import { plain } from '../src/cli/paint.ts';
import { readStatus } from '../src/cli/read-status.ts';
import { problemsOf } from '../src/cli/status-problems.ts';
import { renderStatus } from '../src/cli/status-view.ts';
import { tell } from '../src/cli/why-story.ts';
import { renderWhy } from '../src/cli/why-view.ts';
import { openPg } from '../src/sql/pg.ts';
import { readPersonRows, readStory } from '../src/sql/store/why.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { benchYaml, parseBench } from './config.ts';
import { insertUsers, makeInStep } from './crowd.ts';
import { database } from './database.ts';
import { install } from './setup.ts';
import { type Measured, progress, promise } from './table.ts';

/** As long as the whole command may take, in ms. */
const MOST_MS = 2_000;
const RUNS = 5;

/**
 * How long the commands take that tell how things stand, from the reading of the config to the last line, the slowest of five: one
 * person, and all. Everybody has an attempt and an event that is over; some wait.
 */
export async function why({ users }: { users: number }): Promise<readonly Measured[]> {
  const cluster = await startCluster({ settings: { shared_buffers: '512MB', max_wal_size: '4GB' } });
  try {
    const { url, client } = await database((name) => cluster.url(name), 'why');
    await client.query('create table public.profiles (id uuid primary key, plan text)');
    const table = ['table_mapping:', '  profiles: { contact: { user_id: id }, plan: PLAN }'];
    const yaml = benchYaml(url, { supabase: table, more: ['brakes: off'] });
    await install(url, yaml);
    await insertUsers(client, users);
    progress('users are there');
    await makeInStep(client);
    progress('contacts are there');
    await client.query(`insert into rollcall.attempts (destination_id, contact_id, version, action, outcome)
      select s.destination_id, s.contact_id, 1, 'upsert', 'delivered' from rollcall.desired s`);
    await client.query(`insert into rollcall.events (id, destination_id, contact_id, source, name, properties, happened_at, ready, state, ended_at)
      select gen_random_uuid(), s.destination_id, s.contact_id, 'public.orders', 'order_placed', '{"total": 1}', now(), true, 'delivered', now()
        from rollcall.desired s`);
    await client.query('vacuum analyze');
    // Changes that nobody folds: the log is looked at too.
    const { rows } = await client.query<{ id: string; email: string }>(
      `update auth.users set raw_user_meta_data = '{"full_name": "Other"}' where id in (select id from auth.users order by id limit 1000)
       returning id::text, email`,
    );
    const [waits] = rows;
    const cases: readonly (readonly [name: string, work: () => Promise<number>])[] = [
      ['why, by an address', () => ask(url, yaml, `s${Math.floor(users / 2)}@example.com`)],
      ['why, by an id, with a change that waits', () => ask(url, yaml, waits?.id ?? '')],
      ['why, of somebody whom nobody knows', () => ask(url, yaml, 'nobody@example.com')],
      ['status', () => askAll(url, yaml)],
    ];
    const measured: Measured[] = [];
    for (const [name, work] of cases) {
      const times: number[] = [];
      for (let run = 0; run < RUNS; run += 1) times.push(await work());
      progress(`${name}: ${times.map(Math.round).join(', ')} ms`);
      const slowest = Math.max(...times);
      measured.push(promise(`${name}, of ${users} contacts`, slowest, 'ms', slowest < MOST_MS, MOST_MS));
    }
    await client.end();
    return measured;
  } finally {
    await cluster.destroy();
  }
}

/** One person's story, as the command tells it. @returns ms */
async function ask(url: string, yaml: string, who: string): Promise<number> {
  const started = performance.now();
  const config = parseBench(yaml);
  const sql = openPg({ url });
  const story = await readStory(sql, who);
  const told = tell(story, await readPersonRows(sql, config, who, story.contacts));
  renderWhy(told, { width: 80, paint: plain, now: Date.now() });
  await sql.close();
  return performance.now() - started;
}

/** How all stand, as the command tells it. @returns ms */
async function askAll(url: string, yaml: string): Promise<number> {
  const started = performance.now();
  const config = parseBench(yaml);
  const sql = openPg({ url });
  const { status, refusals } = await readStatus(sql, config);
  const problems = problemsOf(status, refusals, config.sweep.everyMs);
  renderStatus(status, problems, { width: 80, paint: plain, now: Date.now() });
  await sql.close();
  return performance.now() - started;
}
