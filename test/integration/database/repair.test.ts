import { expect, test } from 'vitest';
import type { Client } from 'pg';
import { eventually } from '../../support/people.ts';
import { createWorld, type World } from '../../support/world.ts';

const STRANGER = 'ben@example.com';
const REMOVE = JSON.stringify([{ kind: 'remove', contact: null, version: null, address: STRANGER, id: 'r-1' }]);

/** A world with a reading in which somebody stands whom we have never heard of. */
async function read(world: World): Promise<string> {
  const { rows } = await world.db.app.query<{ run: string }>('select rollcall.open_remote(1::smallint) as run');
  const run = rows[0]!.run;
  const found = JSON.stringify([{ address: STRANGER, id: 'r-1', status: 'subscribed', fields: {} }]);
  await world.db.app.query('select rollcall.add_remote(1::smallint, $1, $2)', [run, found]);
  await world.db.app.query('select rollcall.complete_remote(1::smallint, $1, 1)', [run]);
  return run;
}

const FOLD = 'select rollcall.fold((select config_hash from rollcall.install), 100)';

async function waits({ db }: World, client: Client): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  await eventually(async () => {
    const { rows } = await db.app.query('select 1 from pg_locks where pid = $1 and not granted', [processID]);
    return rows.length > 0;
  });
}

async function states({ db }: World): Promise<unknown[]> {
  const { rows } = await db.app.query(
    `select split_part(c.key, ':', 1) = 'email' as stranger, s.action, s.address, s.remote_address from rollcall.desired s
       join rollcall.contacts c on c.id = s.contact_id order by 1`,
  );
  return rows;
}

const BEN = { stranger: false, action: 'upsert', address: STRANGER };

test('somebody takes an address in the moment in which a repair removes what stands there: the removal is void', async () => {
  const world = await createWorld();
  const run = await read(world);
  const [repairer, folder] = [await world.db.connect(), await world.db.connect()];
  await repairer.query('begin');
  const { rows } = await repairer.query<{ n: { remove: number } }>(
    'select rollcall.repair_contacts(1::smallint, $1, $2) as n',
    [run, REMOVE],
  );
  expect(rows[0]!.n).toEqual({ anew: 0, resend: 0, opted_out: 0, remove: 1 });
  await world.signUp(STRANGER);
  const folded = folder.query(FOLD);
  await waits(world, folder);
  await repairer.query('commit');
  await folded;
  expect(await states(world)).toEqual([
    { ...BEN, remote_address: STRANGER },
    { stranger: true, action: 'none', address: null, remote_address: null },
  ]);
});

test('the other way round: what is taken by then is not removed', async () => {
  const world = await createWorld();
  const run = await read(world);
  const [repairer, folder] = [await world.db.connect(), await world.db.connect()];
  await world.signUp(STRANGER);
  await folder.query('begin');
  await folder.query(FOLD);
  const repaired = repairer.query<{ n: { remove: number } }>(
    'select rollcall.repair_contacts(1::smallint, $1, $2) as n',
    [run, REMOVE],
  );
  await waits(world, repairer);
  await folder.query('commit');
  expect((await repaired).rows[0]!.n).toMatchObject({ remove: 0 });
  expect(await states(world)).toEqual([{ ...BEN, remote_address: null }]);
});

test('whoever has changed since the comparison, or moves, is left alone', async () => {
  const world = await createWorld();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  const worker = await world.start();
  await world.settled();
  await worker.stop();
  const run = await read(world);
  const { rows } = await world.db.app.query<{ contact: string; version: string }>(
    'select contact_id as contact, version from rollcall.desired',
  );
  const { contact, version } = rows[0]!;
  const repair = async (items: readonly object[]): Promise<unknown> => {
    const found = await world.db.app.query<{ n: unknown }>(
      'select rollcall.repair_contacts(1::smallint, $1, $2) as n',
      [run, JSON.stringify(items)],
    );
    return found.rows[0]!.n;
  };
  const none = { anew: 0, resend: 0, opted_out: 0, remove: 0 };
  expect(await repair([{ kind: 'resend', contact, version: '99' }]), 'another version').toEqual(none);
  await world.db.app.query(
    `select rollcall.add_remote(1::smallint, $1, '[{"address": "Ann@example.com", "status": "unsubscribed", "fields": {}}]')`,
    [run],
  );
  const told = await world.db.app.query<{ place: string }>(
    'select place from rollcall.remote_contacts order by place desc limit 1',
  );
  expect(
    await repair([
      { kind: 'opted_out', contact, version, places: [told.rows[0]!.place] },
      { kind: 'resend', contact, version, leftovers: ['Old@example.com', 'ann@example.com'] },
    ]),
  ).toEqual({ ...none, resend: 1, opted_out: 1 });
  const after = await world.db.app.query('select consent, leftovers, version from rollcall.desired');
  expect(after.rows).toEqual([
    { consent: 'opted_out', leftovers: ['old@example.com'], version: String(Number(version) + 1) },
  ]);
  expect(await repair([{ kind: 'anew', contact, version: String(Number(version) + 1) }]), 'it is due by now').toEqual(
    none,
  );
});
