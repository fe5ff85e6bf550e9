import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { planDatabase } from '../../src/cli/apply-plan.ts';
import { createStore } from '../../src/sql/store/store.ts';
import { testConfig } from '../support/config.ts';
import { createDatabase, onCleanup } from '../support/database.ts';

/** The real `supabase` command; the lane installs it (scripts/lanes.mjs). */
const CLI = process.env['ROLLCALL_SUPABASE_CLI'];

test.skipIf(CLI === undefined)(
  'the printed migration goes through `supabase db push`, and again after a change',
  async () => {
    const db = await createDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-push-'));
    onCleanup(() => rm(folder, { recursive: true, force: true }));
    const migrations = join(folder, 'supabase', 'migrations');
    await mkdir(migrations, { recursive: true });
    await writeFile(join(folder, 'supabase', 'config.toml'), 'project_id = "rollcall"\n[db]\nmajor_version = 17\n');
    const push = (): Promise<unknown> =>
      promisify(execFile)(
        CLI ?? '',
        ['db', 'push', '--yes', '--skip-vault', `--remote=${db.hostedUrl}?sslmode=disable`],
        {
          cwd: folder,
          env: { ...process.env, HOME: folder, SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
        },
      );

    const config = testConfig();
    await writeFile(join(migrations, '20260101000000_rollcall.sql'), (await planDatabase(db.sql, config)).script);
    await push();
    await writeFile(
      join(migrations, '20260102000000_rollcall.sql'),
      (await planDatabase(db.sql, testConfig({ hash: 'b'.repeat(64) }))).script,
    );
    await push();

    await db.app.query('select rollcall.bind($1, $2)', ['ref', 'test']);
    await db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'ann@example.com')`);
    const store = createStore(db.sql, { configHash: 'b'.repeat(64), projectRef: 'ref', environment: 'test' });
    expect(await store.fold(100)).toMatchObject({ taken: 1, changed: 1 });
  },
);
