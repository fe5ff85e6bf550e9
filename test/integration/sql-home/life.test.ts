import { expect, test } from 'vitest';
import { putSecret } from '../../support/vault.ts';
import { createProject, type Kind, signUpAll, until } from './project.ts';
import { netWorker, runPump } from './support.ts';

// All of them, with a kill in between: test/conformance/homes.test.ts.
const KINDS: readonly Kind[] = ['mailtrap', 'sendry'];

test.each(KINDS)('%s: signs up, edits, moves, is deleted; nobody else is touched', async (kind) => {
  const project = await createProject(kind);
  const { db, world, standIn } = project;
  netWorker(db);
  await runPump(db);
  await world.signUp('bob@example.com', { full_name: 'Bob' });
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(standIn.contact('ann@example.com')).toMatchObject({ status: 'subscribed', attributes: { FIRSTNAME: 'Ann' } });
  await db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Anna"}' where id = $1`, [id]);
  await world.settled();
  expect(standIn.contact('ann@example.com')?.attributes).toMatchObject({ FIRSTNAME: 'Anna' });
  await db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
  await world.settled();
  expect(standIn.contact('ann@example.com')).toBeUndefined();
  expect(standIn.contact('anna@example.com')).toMatchObject({
    status: 'subscribed',
    attributes: { FIRSTNAME: 'Anna' },
  });
  await db.app.query('delete from auth.users where id = $1', [id]);
  await world.settled();
  expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['bob@example.com']);
  const { rows } = await db.app.query('select * from rollcall.pump_troubles');
  expect(rows).toEqual([]);
});

test.each<[Kind, string]>([
  ['mailtrap', ''],
  ['sendry', ''],
  ['sendry', 'upsert_keeps_unsubscribed: true'],
  ['brevo', ''],
])(
  '%s (%s): who says no is not mailed, whatever comes after; who left there is heard by the pull',
  async (kind, more) => {
    const project = await createProject(kind, more, { consent: '{ column: user_metadata.ok }' });
    const { db, world, standIn } = project;
    // Left there before we came, and nobody told us.
    standIn.optOut('left@example.com', 'unsubscribe');
    const mailed = (): string[] =>
      [...standIn.contacts()].filter(({ status }) => status === 'subscribed').map(({ address }) => address);
    netWorker(db);
    await runPump(db);
    const id = await world.signUp('ann@example.com', { full_name: 'Ann', ok: true });
    await world.signUp('left@example.com', { full_name: 'Lee', ok: true });
    await world.settled();
    expect(mailed()).toContain('ann@example.com');
    await db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Ann","ok":false}' where id = $1`, [
      id,
    ]);
    await world.settled();
    expect(mailed()).not.toContain('ann@example.com');
    await db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Anna","ok":false}' where id = $1`, [
      id,
    ]);
    await world.settled();
    await db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
    await world.settled();
    // What the first pull found, or the destination keeps by itself.
    await until(project, `exists (select from rollcall.pulls p where p.ended_at is not null)`);
    await world.settled();
    expect(mailed()).toEqual([]);
  },
);

test('a missing secret pauses and never raises; a rotated one is used at once, without a deploy', async () => {
  const project = await createProject('brevo', '', { secrets: false });
  const { db, world, standIn, key } = project;
  netWorker(db);
  await runPump(db);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await until(project, `exists (select from rollcall.destinations d where d.pause_code = 'secret_missing')`);
  expect(standIn.contactCount).toBe(0);
  await putSecret(db, 'KEY', 'a-key-of-long-ago');
  await db.app.query(`select rollcall.retry('brevo')`);
  await until(project, `exists (select from rollcall.destinations d where d.pause_code = 'unauthorized')`);
  await putSecret(db, 'KEY', key);
  await db.app.query(`select rollcall.retry('brevo')`);
  await world.settled();
  expect(standIn.contact('ann@example.com')).toBeDefined();
  // No longer than its batch takes.
  await until(
    project,
    `not exists (select from net.http_request_queue q where q.headers::text like '%${key}%')
       and not exists (select from net._http_response r where r.headers::text like '%${key}%')`,
  );
});

test('a copy and a stale config send nothing and say nothing; once bound and deployed it goes on', async () => {
  const project = await createProject('webhook');
  const { db, world, standIn, sandbox } = project;
  netWorker(db);
  await db.app.query(`update rollcall.install set identity = identity || '{"database": "another"}'`);
  await world.signUp('ann@example.com');
  await db.app.query('call rollcall.pump($1)', ['0 seconds']);
  expect((await db.app.query('select rollcall.pump_may() as may')).rows).toEqual([{ may: 'not_bound' }]);
  expect(sandbox.calls()).toEqual([]);
  await db.app.query(`select rollcall.bind(project_ref, environment) from rollcall.install`);
  await db.app.query(`update rollcall.pump set config_hash = 'of yesterday'`);
  await db.app.query('call rollcall.pump($1)', ['0 seconds']);
  expect((await db.app.query('select rollcall.pump_may() as may')).rows).toEqual([{ may: 'other_config' }]);
  expect(sandbox.calls()).toEqual([]);
  await db.app.query('update rollcall.pump set config_hash = (select config_hash from rollcall.install)');
  await runPump(db);
  await world.settled();
  expect(standIn.contactCount).toBe(1);
});

test('a limit of ten requests a second is kept where they are sent, and used', async () => {
  const project = await createProject('brevo', 'import_from: off', { scale: 1 });
  const { db, world, sandbox } = project;
  netWorker(db);
  await runPump(db);
  await signUpAll(project, 40);
  await world.settled();
  expect(sandbox.calls().filter(({ status }) => status === 429)).toEqual([]);
  const at = sandbox
    .calls()
    .filter(({ method }) => method === 'POST')
    .map((call) => call.at);
  for (const from of at)
    expect(at.filter((each) => each >= from && each < from + 1_000).length).toBeLessThanOrEqual(10);
});
