import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Client } from 'pg';
import { createPlatform } from '../integration/sql-home/support.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/people.ts';
import { createWorld, type World } from '../support/world.ts';
import { type Ran, rollcall, tempFile } from './run-cli.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'install.md'), 'utf8');

/** The SQL below a heading of docs/install.md. */
function blocks(heading: string): readonly string[] {
  const [, text = ''] = page.split(`\n## ${heading}\n`);
  return [...text.split('\n## ')[0]!.matchAll(/^```sql\n([\s\S]*?)^```/gm)].map(([, sql = '']) => sql);
}

/** A project whose schema is made by its migrations alone: what `supabase db reset`, and a preview branch, leave behind. */
async function byMigrations(): Promise<{
  readonly world: World;
  readonly run: (...argv: string[]) => Promise<Ran>;
  readonly reset: () => Promise<{ readonly db: TestDatabase; readonly run: (...argv: string[]) => Promise<Ran> }>;
}> {
  const world = await createWorld({ install: false });
  const run = await runner(world.yaml);
  const { stdout: migration } = await run('apply', '--sql');
  return {
    world,
    run,
    async reset() {
      const db = await createDatabase();
      const client = await db.connect(db.hostedUrl);
      await client.query(migration);
      return { db, run: await runner(world.yaml.replace(world.db.hostedUrl, db.hostedUrl)) };
    },
  };
}

async function runner(yaml: string): Promise<(...argv: string[]) => Promise<Ran>> {
  const file = await tempFile('rollcall.yaml', yaml);
  return (...argv) => rollcall([...argv, '--config', file]);
}

async function signUp(app: Pick<Client, 'query'>, email: string): Promise<void> {
  await app.query(`insert into auth.users (id, email, created_at) values (gen_random_uuid(), $1, now())`, [email]);
}

test('the guide: after a reset an install is unbound and silent until `rollcall rebind`; its SQL runs as it stands there', async () => {
  const { world, reset } = await byMigrations();
  for (const round of [1, 2]) {
    const { db, run } = await reset();
    const calls = world.sandbox.state.counters().calls;
    await signUp(db.app, `early${round}@example.com`);
    const hosted = await db.connect(db.hostedUrl);
    const [bound = ''] = blocks('On this machine: `supabase start`');
    expect((await hosted.query(bound)).rows).toEqual([{ bound: false }]);
    const started = await run('start', '--no-health');
    expect(started.code).toBe(1);
    expect(started.stderr).toContain('error RC_NOT_BOUND');
    expect(world.sandbox.state.counters().calls).toBe(calls);
    expect((await run('rebind', '--yes')).code).toBe(0);
    expect((await hosted.query(bound)).rows).toEqual([{ bound: true }]);

    const [empty = ''] = blocks('A hosted project');
    const results = (await hosted.query(empty)) as unknown as { readonly rows: readonly unknown[] }[];
    expect(results.map(({ rows }) => rows)).toEqual([[], []]);

    const worker = await world.start({ ...world.config, databaseUrl: db.hostedUrl });
    await eventually(() => world.sandbox.state.contact(`early${round}@example.com`) !== undefined);
    await worker.stop();
    expect((await run('uninstall', '--yes')).stdout).toContain('Nothing of Rollcall is left in the database.');
    for (const sql of blocks('Uninstalling')) await hosted.query(sql);
  }
});

test('a branch, by migrations alone and with the data of another: no home claims anything, and no request goes out', async () => {
  const world = await createWorld({ install: false });
  const { db } = world;
  await createPlatform(db, { mailtrap_token: world.sandbox.token });
  const yaml = world.yaml.replace(/api_token: \S+/, 'api_token: "${vault:mailtrap_token}"');
  const run = await runner(yaml);
  const migration = await run('deploy', 'sql', '--print');
  expect(migration).toMatchObject({ code: 0, stderr: '' });
  await (await db.connect(db.hostedUrl)).query(migration.stdout);
  await signUp(db.app, 'ann@example.com');
  const hosted = await db.connect(db.hostedUrl);
  await hosted.query(`call rollcall.pump('1 second')`);
  await hosted.query('call rollcall.upkeep()');
  expect((await hosted.query('select rollcall.pump_may() as may')).rows).toEqual([{ may: 'not_bound' }]);
  const traces = `select (select count(*) from net.http_request_queue)::int as requests, (select count(*) from rollcall.attempts)::int as attempts,
    (select count(*) from rollcall.due where token is not null)::int as leases`;
  expect((await hosted.query(traces)).rows).toEqual([{ requests: 0, attempts: 0, leases: 0 }]);
  // What it was bound to is another database, as where a branch came with the rows of production.
  await db.app.query(
    `update rollcall.install set identity = rollcall.identity() || '{"system_identifier": "1"}', project_ref = 'production', environment = 'test', bound_at = now()`,
  );
  await hosted.query(`call rollcall.pump('1 second')`);
  expect((await hosted.query(traces)).rows).toEqual([{ requests: 0, attempts: 0, leases: 0 }]);
  expect(world.sandbox.state.counters().calls).toBe(0);
  const report = JSON.parse((await run('doctor', '--json')).stdout) as {
    findings: { code: string | null; what: string }[];
  };
  expect(report.findings.filter(({ code }) => code === 'RC_SQL_HOME').map(({ what }) => what)).toContain(
    'It is not so that the install is bound to this database.',
  );
  // Told that it is the one that sends, it does.
  expect((await run('rebind', '--yes')).code).toBe(0);
  await hosted.query(`call rollcall.pump('1 second')`);
  expect((await hosted.query(traces)).rows).toMatchObject([{ requests: 1 }]);
});
