import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../src/cli/program.ts';
import { startCluster } from '../src/demo/cluster.ts';
import { benchYaml } from './config.ts';
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
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-why-'));
  try {
    const { url, client } = await database((name) => cluster.url(name), 'why');
    await client.query('create table public.profiles (id uuid primary key, plan text)');
    const table = ['table_mapping:', '  profiles: { contact: { user_id: id }, plan: PLAN }'];
    const yaml = benchYaml(url, { supabase: table, more: ['brakes: off'] });
    await install(url, yaml);
    const config = join(folder, 'rollcall.yaml');
    await writeFile(config, yaml);
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
    const cases = [
      ['why, by an address', ['why', `s${Math.floor(users / 2)}@example.com`], 0],
      ['why, by an id, with a change that waits', ['why', waits?.id ?? ''], 0],
      ['why, of somebody whom nobody knows', ['why', 'nobody@example.com'], 1],
      ['status', ['status', '--json'], undefined],
    ] as const;
    const measured: Measured[] = [];
    for (const [name, argv, code] of cases) {
      const times: number[] = [];
      for (let run = 0; run < RUNS; run += 1) times.push(await timed([...argv, '--config', config], code));
      progress(`${name}: ${times.map(Math.round).join(', ')} ms`);
      const slowest = Math.max(...times);
      measured.push(promise(`${name}, of ${users} contacts`, slowest, 'ms', slowest < MOST_MS, MOST_MS));
    }
    await client.end();
    return measured;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await cluster.destroy();
  }
}

async function timed(argv: readonly string[], expected: number | undefined): Promise<number> {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) };
  const started = performance.now();
  const code = await main(argv, {
    env: {},
    stdout: stream,
    stderr: stream,
    interactive: false,
    confirm: () => Promise.resolve(false),
    onSignal: () => () => undefined,
    exitNow: () => undefined,
  });
  const ms = performance.now() - started;
  if (expected !== undefined && code !== expected) throw new Error(`${argv.join(' ')}: ${code}\n${said.join('')}`);
  return ms;
}
