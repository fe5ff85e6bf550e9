import { expect, test } from 'vitest';
import { dumpOf, foundIn } from '../../support/dump.ts';
import {
  canEmail,
  erase,
  ERASE_KEY,
  ERASURE,
  erased,
  eraseWorld,
  startFast,
  statusOf,
  until,
} from '../../support/erasing.ts';
import { parseWorld } from '../../support/world.ts';
import { createVault, putSecret } from '../../support/vault.ts';

const ON = `erasure: { key: "${ERASE_KEY}", on_user_deleted: true }`;

test('deleted from auth.users: erased, whatever the policy says; the opt-out that no webhook told holds for who signs up again', async () => {
  const world = await eraseWorld({ more: ON, destination: 'on_delete: keep' });
  const worker = await startFast(world);
  const id = await world.signUp('ann@example.com', { full_name: 'Ann Other' });
  await world.settled();
  world.sandbox.state.suppress('ann@example.com');
  await world.db.app.query('delete from auth.users');
  await world.settled();
  await erased(world);
  expect(world.sandbox.state.contactCount).toBe(0);
  expect(foundIn(await dumpOf(world.db.app), [id, 'ann@example.com', 'Ann Other'])).toEqual([]);
  const { rows } = await world.db.app.query('select by, finished_at is not null as done from rollcall.erasures');
  expect(rows).toEqual([{ by: 'user.deleted', done: true }]);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  expect(await canEmail(world, 'ann@example.com')).toBe(false);
  await worker.stop();
});

test('many at once wait at the brake, and whoever comes back meanwhile is erased no more', async () => {
  const world = await eraseWorld({ more: `${ON}\nbrakes: { deletes: { share: 1%, least: 2 } }` });
  const worker = await startFast(world);
  const ids = [];
  for (let n = 0; n < 4; n += 1) ids.push(await world.signUp(`p${n}@example.com`));
  await world.settled();
  await world.db.app.query('create table public.gone as table auth.users; delete from auth.users');
  await until(world, '(select count(*) = 4 from rollcall.due where lane = 2)');
  expect(world.sandbox.state.contactCount).toBe(4);
  // For one of them somebody says so.
  await erase(world, ids[0]!);
  await until(world, `(select count(*) = 1 from rollcall.erasures where by = 'operator' and finished_at is not null)`);
  expect(world.sandbox.state.contact('p0@example.com')).toBeUndefined();
  await world.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at) select id, email, raw_user_meta_data, created_at from public.gone`,
  );
  await world.settled();
  await until(world, 'not exists (select from rollcall.erasing) and (select count(*) = 1 from rollcall.erasures)');
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(3);
  await worker.stop();
});

test('a webhook, and a pull, that come after the end are written down as hashes, and once', async () => {
  const world = await eraseWorld();
  const worker = await startFast(world);
  await world.signUp('ann@example.com');
  await world.settled();
  const told = JSON.stringify([{ id: 'late no', kind: 'opt_out', address: 'Ann@example.com ', proof: { event: 'x' } }]);
  const tell = () =>
    world.db.sql.query(`select rollcall.receive_facts(rollcall.with_key('mailtrap', $2), $1)`, [told, ERASE_KEY]);
  await tell();
  await erase(world, 'ann@example.com');
  await erased(world);
  await tell();
  await tell();
  await world.db.sql.query(`select rollcall.receive_facts(rollcall.with_key('mailtrap', $2), $1)`, [
    told.replace('late no', 'another'),
    ERASE_KEY,
  ]);
  const { rows } = await world.db.app.query(
    'select kind, person, proof, left(id, 1) || left(address, 1) as forms from rollcall.consent',
  );
  expect(rows.map(({ kind, proof, forms }) => [kind, proof, forms])).toEqual([
    ['opt_out', {}, '##'],
    ['opt_out', {}, '##'],
  ]);
  expect(foundIn(await dumpOf(world.db.app), ['ann@example.com'])).toEqual([]);
  // Nothing is taken where the key is not known: the vendor tells it again.
  await expect(world.db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [told])).rejects.toMatchObject({
    code: 'RC061',
  });
  await worker.stop();
});

test('the key in Vault: no worker has one, and the app is told without one too; another key, or none, and no worker starts', async () => {
  const world = await eraseWorld({ more: '' });
  await createVault(world.db);
  await putSecret(world.db, 'rollcall_erasure_key', ERASE_KEY);
  const worker = await startFast(world);
  await world.signUp('ann@example.com');
  await world.signUp('bob@example.com');
  await world.settled();
  await world.db.sql.query(`select rollcall.erase('ann@example.com')`);
  await erased(world);
  expect(world.sandbox.state.contactCount).toBe(1);
  const { rows } = await world.db.sql
    .query<{ can: boolean }>(`select rollcall.can_email('bob@example.com') as can`)
    .then((r) => ({ rows: r }));
  expect(rows).toEqual([{ can: true }]);
  await worker.stop();
  expect(foundIn(await dumpOf(world.db.app), [ERASE_KEY])).toEqual([]);
  await putSecret(world.db, 'rollcall_erasure_key', `${ERASE_KEY}?`);
  await expect(startFast(world)).rejects.toMatchObject({ code: 'RC_ERASURE_KEY_WRONG' });
  await world.db.app.query('delete from vault.secrets');
  await expect(startFast(world)).rejects.toMatchObject({ code: 'RC_ERASURE_KEY_MISSING' });
  const again = await world.start(parseWorld(`${world.yaml}\n${ERASURE}`));
  await again.stop();
});
