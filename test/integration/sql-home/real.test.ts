import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { applyInstall, uninstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { AUTH_SCHEMA } from '../../support/auth-schema.ts';
import { onCleanup } from '../../support/database.ts';
import { connectReal, isReal } from '../../support/platform/real.ts';
import { putSecret } from '../../support/vault.ts';
import { parseWorld, worldYaml } from '../../support/world.ts';
import { deploySql } from './support.ts';

/** Stops that server at once, as a crash does, and starts it again: a shell command. */
const CRASH = process.env['ROLLCALL_REAL_CRASH'];
const SIGN_UPS = Number(process.env['ROLLCALL_SQL_SIGNUPS'] ?? 1_000);

/** By hand: pg_net, pg_cron and supabase_vault are built from their sources, and no package registry has them. */
test.skipIf(!isReal)(
  'with the real pg_net, pg_cron and Vault: all sign-ups in step past failing answers and an immediate stop',
  async () => {
    const { app, sql, url } = await connectReal();
    // The crash ends it.
    app.on('error', () => undefined);
    await app.query('drop schema if exists auth cascade');
    await uninstall(sql);
    await app.query(AUTH_SCHEMA);
    await app.query('grant usage on schema auth to hosted; grant all on all tables in schema auth to hosted');
    await app.query('grant usage on schema net to hosted');
    const sandbox = await startSandbox({ only: ['brevo'], limitsScale: 10_000, keepCalls: 100 });
    onCleanup(() => sandbox.close());
    const { url: api, token, standIn } = sandbox.of('brevo');
    for (const name of ['FIRSTNAME', 'N']) standIn.addField(name, 'text');
    await putSecret({ app, url }, 'BREVO_KEY', token);
    const hosted = new URL(url);
    hosted.username = 'hosted';
    const instead = `brevo: { api_key: "\${vault:BREVO_KEY}", base_url: "${api}", limits_scale: 10000, import_from: off }`;
    const config = parseWorld(worldYaml({ instead }, hosted.href, { token: '', apiUrl: '' }));
    await applyInstall(sql, config, projectRef(hosted.href, undefined));
    await deploySql({ sql }, config);
    sandbox.addFaults([{ rate: 0.3, status: 500 }]);
    await app.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       select gen_random_uuid(), 'p' || i || '@example.com', jsonb_build_object('full_name', 'P' || i), now() from generate_series(1, $1::int) i`,
      [SIGN_UPS],
    );
    const begunAt = performance.now();
    await sandbox.until(() => standIn.contactCount > SIGN_UPS / 3, 300_000);
    if (CRASH !== undefined) execFileSync('/bin/sh', ['-c', CRASH]);
    await sandbox.until(() => standIn.contactCount === SIGN_UPS, 600_000);
    const seconds = (performance.now() - begunAt) / 1_000;
    sandbox.clearFaults();
    const fresh = new pg.Client({ connectionString: url });
    await fresh.connect();
    onCleanup(() => fresh.end());
    for (;;) {
      const { rows } = await fresh.query<{ due: number }>('select count(*)::int as due from rollcall.due');
      if (rows[0]?.due === 0) break;
      expect(performance.now() - begunAt).toBeLessThan(900_000);
      await pause(500);
    }
    expect(standIn.contactCount).toBe(SIGN_UPS);
    const { rows } = await fresh.query(
      `select status, count(*)::int as n from cron.job_run_details group by 1 order by 1`,
    );
    process.stdout.write(
      `${SIGN_UPS} sign-ups through the real pg_net in ${seconds.toFixed(1)} s: ${JSON.stringify(rows)}\n`,
    );
    await fresh.query(`select cron.unschedule(j.jobid) from cron.job j where j.jobname like 'rollcall-%'`);
  },
  1_800_000,
);
