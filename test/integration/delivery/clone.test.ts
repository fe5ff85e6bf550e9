import { expect, test } from 'vitest';
import { Client } from 'pg';
import { inject } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { onCleanup, type TestDatabase } from '../../support/database.ts';
import { eventually, signUpMany } from '../../support/people.ts';
import { createWorld, parseWorld } from '../../support/world.ts';

/** A copy of a database, as a branch or a restore makes one. */
async function cloneOf(db: TestDatabase): Promise<{ readonly hostedUrl: string; readonly app: Client }> {
  const name = `${db.name}_copy`;
  const admin = new Client({ connectionString: inject('postgres') });
  await admin.connect();
  onCleanup(async () => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.end();
  });
  await eventually(async () => {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [db.name]);
    return await admin.query(`create database ${name} template ${db.name}`).then(
      () => true,
      () => false,
    );
  });
  const url = new URL(db.url);
  url.pathname = `/${name}`;
  const hosted = new URL(db.hostedUrl);
  hosted.pathname = `/${name}`;
  return { hostedUrl: hosted.toString(), app: await db.connect(url.toString()) };
}

test('a clone sends nothing and says why; after bind it works', async () => {
  const world = await createWorld();
  const worker = await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await worker.stop();
  // Something is pending in the copy.
  await world.signUp('ben@example.com', { full_name: 'Ben' });
  const calls = world.sandbox.state.counters().calls;
  const copy = await cloneOf(world.db);
  const config = parseWorld(world.yaml.replace(world.db.hostedUrl, copy.hostedUrl));
  await expect(world.start(config)).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  expect(world.sandbox.state.counters().calls).toBe(calls);

  await copy.app.query('select rollcall.bind($1, $2)', [projectRef(copy.hostedUrl, undefined), 'test']);
  const bound = await world.start(config);
  await world.sandbox.until((state) => state.contact('ben@example.com') !== undefined);
  await bound.stop();
});

test('another environment over the same database sends nothing', async () => {
  const world = await createWorld();
  await world.db.app.query(`update rollcall.install set environment = 'production'`);
  await world.signUp('ann@example.com');
  await expect(world.start()).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  expect(world.sandbox.state.counters().calls).toBe(0);
});

test('a running worker notices that it is bound no more, and that another config was applied, and stops', async () => {
  const world = await createWorld({ more: 'brakes: off', sandbox: { faults: [{ latencyMs: 20 }] } });
  const worker = await world.start();
  await signUpMany(world, 300);
  await world.sandbox.until((state) => state.contactCount > 50);
  await world.db.app.query(`update rollcall.install set project_ref = 'elsewhere'`);
  await expect(worker.ended).rejects.toMatchObject({ code: 'RC_NOT_BOUND' });
  const { rows } = await world.db.app.query('select 1 from rollcall.due where token is not null');
  expect(rows).toEqual([]);

  await world.db.app.query('update rollcall.install set project_ref = $1', [projectRef(world.db.hostedUrl, undefined)]);
  const second = await world.start();
  const other = parseWorld(world.yaml.replace('user_metadata.n: N', 'user_metadata.m: N'));
  const sql = openPg({ url: world.db.hostedUrl });
  onCleanup(() => sql.close());
  await applyInstall(sql, other, projectRef(world.db.hostedUrl, undefined));
  await expect(second.ended).rejects.toMatchObject({ code: 'RC_CONFIG_NOT_APPLIED' });
  const third = await world.start(other);
  await world.settled();
  await third.stop();
});
