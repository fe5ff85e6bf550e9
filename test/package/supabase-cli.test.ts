import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { planDatabase } from '../../src/cli/apply-plan.ts';
import { MIGRATIONS } from '../../src/sql/install-script.ts';
import { createStore } from '../../src/sql/store/store.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../support/database.ts';
import { earlierConfig, earlierInstalls } from '../support/earlier-installs.ts';

/** The real `supabase` command; the lane installs it (scripts/lanes.mjs). */
const CLI = process.env['ROLLCALL_SUPABASE_CLI'];

/** A Supabase project's folder, linked to a database. */
interface Project {
  readonly migration: (version: number, sql: string) => Promise<void>;
  /** `supabase db push`. @returns what it said */
  readonly push: () => Promise<string>;
}

async function project(db: TestDatabase): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-push-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  const migrations = join(folder, 'supabase', 'migrations');
  await mkdir(migrations, { recursive: true });
  await writeFile(join(folder, 'supabase', 'config.toml'), 'project_id = "rollcall"\n[db]\nmajor_version = 17\n');
  return {
    migration: (version, sql) => writeFile(join(migrations, `2026010${version}000000_rollcall.sql`), sql),
    async push() {
      const { stdout, stderr } = await promisify(execFile)(
        CLI ?? '',
        ['db', 'push', '--yes', '--skip-vault', `--remote=${db.hostedUrl}?sslmode=disable`],
        {
          cwd: folder,
          env: { ...process.env, HOME: folder, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
        },
      );
      return stdout + stderr;
    },
  };
}

test.skipIf(CLI === undefined)(
  'the printed migration goes through `supabase db push`; again nothing is to do; and a changed config is one more',
  async () => {
    const db = await createDatabase();
    const { migration, push } = await project(db);
    await migration(1, (await planDatabase(db.sql, testConfig())).script);
    await push();
    expect(await push()).toContain('up to date');
    await migration(2, (await planDatabase(db.sql, testConfig())).script);
    await migration(3, (await planDatabase(db.sql, testConfig({ hash: 'b'.repeat(64) }))).script);
    await push();

    await db.app.query('select rollcall.bind($1, $2)', ['ref', 'test']);
    await db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'ann@example.com')`);
    const store = createStore(db.sql, { configHash: 'b'.repeat(64), projectRef: 'ref', environment: 'test' });
    expect(await store.fold(100)).toMatchObject({ taken: 1, changed: 1 });
  },
);

test.skipIf(CLI === undefined)('an earlier version, pushed and in use, is upgraded by a push', async () => {
  const db = await createDatabase();
  const { migration, push } = await project(db);
  const [oldest = ''] = Object.values(earlierInstalls());
  await migration(1, oldest);
  await push();
  await db.app.query('select rollcall.bind($1, $2)', ['ref', 'test']);
  await db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'ann@example.com')`);

  const config = earlierConfig();
  await migration(2, (await planDatabase(db.sql, config)).script);
  await push();
  const { rows } = await db.app.query('select version from rollcall.migrations order by version');
  expect(rows.map(({ version }) => Number(version))).toEqual(MIGRATIONS.map(({ version }) => version));
  const store = createStore(db.sql, { configHash: config.hash, projectRef: 'ref', environment: 'test' });
  expect(await store.fold(100)).toMatchObject({ taken: 1, changed: 1 });
});
