import { expect, test } from 'vitest';
import { VAULT_NAME } from '../../../src/sql/functions/erasure-key.ts';
import { putSecret } from '../../support/vault.ts';
import { createProject, signUpAll, until } from './project.ts';
import { netWorker, runPump } from './support.ts';

test('while a worker delivers the database stands aside; once it is gone the database goes on, and nobody is sent twice', async () => {
  const project = await createProject('brevo', 'import_from: off');
  const { db, world, sandbox, standIn } = project;
  netWorker(db);
  const worker = await world.start();
  await until(project, `rollcall.others_at_work('sql')`);
  await runPump(db);
  await signUpAll(project, 60);
  await world.settled();
  const agents = (): string[] =>
    sandbox
      .calls()
      .filter(({ method }) => method === 'POST')
      .map(({ headers }) => headers['user-agent'] ?? '');
  expect(new Set(agents())).toEqual(new Set(['rollcall']));
  await worker.stop();
  // Thirty seconds pass.
  await db.app.query(`update rollcall.homes set seen_at = seen_at - interval '31 seconds' where home = 'worker'`);
  await db.app.query(`update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": 1}'`);
  await world.settled();
  expect(agents().filter((agent) => agent !== 'rollcall')).toHaveLength(60);
  expect(agents()).toHaveLength(120);
  expect([...standIn.contacts()].every(({ attributes }) => attributes['N'] === '1')).toBe(true);
  const { rows } = await db.app.query<{ homes: { home: string; at_work: boolean }[] }>(
    `select rollcall.status() -> 'homes' as homes`,
  );
  expect(rows[0]?.homes).toMatchObject([
    { home: 'sql', at_work: true },
    { home: 'worker', at_work: false },
  ]);
});

test('a person is erased from the SQL editor, with proof, and stays erased', async () => {
  const project = await createProject('brevo', 'import_from: off');
  const { db, world, standIn } = project;
  await putSecret(db, VAULT_NAME, 'a-key-of-at-least-thirty-two-characters');
  netWorker(db);
  await runPump(db);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.signUp('bob@example.com');
  await world.settled();
  await db.app.query(`select rollcall.erase('ann@example.com')`);
  await until(project, 'exists (select from rollcall.erasures e where e.finished_at is not null)');
  expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['bob@example.com']);
  await db.app.query('select rollcall.backfill()');
  await until(project, 'not exists (select from rollcall.backfills b where b.ended_at is null)');
  await world.settled();
  expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['bob@example.com']);
});

test('events follow their contact, in order, each once', async () => {
  const project = await createProject('sendry', 'upsert_keeps_unsubscribed: true', {
    ddl: 'create table public.orders (id bigint primary key generated always as identity, user_id uuid, total numeric)',
    connector:
      'table_mapping:\n  orders: { sync_as: events, event_name: order.placed, operations: [insert], contact: { user_id: user_id }, properties: { total: total } }',
  });
  const { db, world, standIn } = project;
  netWorker(db);
  await runPump(db);
  const id = await world.signUp('ann@example.com');
  await db.app.query('insert into public.orders (user_id, total) select $1, n from generate_series(1, 5) n', [id]);
  await world.settled();
  expect(standIn.events().map(({ address, name, properties }) => [address, name, properties['total']])).toEqual(
    [1, 2, 3, 4, 5].map((total) => ['ann@example.com', 'order.placed', total]),
  );
});

test('what the editor is told: failures by cause, why, retry and test', async () => {
  const project = await createProject('brevo', 'import_from: off');
  const { db, world, sandbox, standIn } = project;
  const ask = async (query: string): Promise<readonly Record<string, unknown>[]> => await db.sql.query(query);
  const wrong = async (): Promise<unknown[]> =>
    (await ask('select what from rollcall.test() where not ok')).map(({ what }) => what);
  expect(await wrong()).toEqual(['the worker of pg_net is up', 'the pump has run within two minutes']);
  netWorker(db);
  await runPump(db);
  sandbox.addFaults([{ reject: 'ann@example.com' }]);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.signUp('bob@example.com');
  await world.settled();
  expect(await ask('select destination, stage, contacts from rollcall.failures()')).toEqual([
    { destination: 'brevo', stage: 'deliver', contacts: '1' },
  ]);
  const [told] = await ask(`select rollcall.why('ANN@example.com') as why`);
  expect(told?.['why']).toMatchObject({
    known: true,
    contacts: [
      {
        destinations: [
          {
            destination: 'brevo',
            action: 'upsert',
            in_step: false,
            failure: { stage: 'deliver' },
            attempts: [{ outcome: 'reject' }],
          },
        ],
      },
    ],
  });
  expect((await ask(`select rollcall.why('nobody@example.com') as why`))[0]?.['why']).toMatchObject({ known: false });
  sandbox.clearFaults();
  await expect(ask(`select rollcall.retry('brave')`)).rejects.toThrow('There is no destination named brave.');
  expect(await ask('select rollcall.retry() as n')).toEqual([{ n: '1' }]);
  await world.settled();
  expect(standIn.contactCount).toBe(2);
  expect(await wrong()).toEqual([]);
});
