import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { createReceiver } from '../../support/receiver.ts';
import { parseWorld } from '../../support/world.ts';
import { dumpOf, foundIn } from '../../support/dump.ts';
import {
  canEmail,
  erase,
  ERASE_KEY,
  ERASURE,
  erased,
  eraseWorld,
  listed,
  startFast,
  statusOf,
  until,
} from '../../support/erasing.ts';

test('everywhere deleted, and nothing of the person is left in any table: hostile values, events, failures, an import, past addresses, webhooks’ facts', async () => {
  const world = await eraseWorld({
    mapping: `unconfirmed: true
email: email
phone: PHONE
user_metadata.full_name: FIRSTNAME`,
    connector: `table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    contact: {user_id: user_id}
    properties: {note: note}
  letters:
    sync_as: events
    event_name: letter
    contact: {email: mail}
    properties: {note: note}`,
    ddl: `create table public.orders (id int primary key, user_id uuid, note text);
          create table public.letters (id int primary key, mail text, note text)`,
    fields: { FIRSTNAME: 'text', PHONE: 'text' },
  });
  const worker = await startFast(world);
  const name = `Zoë "O'Hara" \\ {x} %s $1 ☃`;
  const mail = `zoe.o'hara+x@example.com`;
  const before = 'zoe.before@example.com';
  const phone = '+4915112345678';
  const others: string[] = [];
  for (const n of [1, 2, 3]) others.push(await world.signUp(`other${n}@example.com`, { full_name: 'Other' }));
  const id = await world.signUp(before, { full_name: name }, { phone });
  await world.settled();
  // Of others who mention them, of one who cannot be mapped any more, and of what the destination says of them.
  await world.db.app.query(`insert into public.orders values (1, $1, $2), (2, $3, $4);`.replaceAll(';', ''), [
    id,
    `for ${name}`,
    others[0],
    `a gift for ${mail}`,
  ]);
  await world.settled();
  await world.db.app.query('update auth.users set email = $2 where id = $1', [id, mail]);
  await world.settled();
  await world.db.app.query(`insert into public.letters values (1, $1, $2)`, [mail, name]);
  await world.settled();
  await world.db.sql.query(`select rollcall.receive_facts(rollcall.with_key('mailtrap', $2), $1)`, [
    JSON.stringify([
      { id: `complaint of ${mail}`, kind: 'complaint', address: mail, proof: { event: 'spam' } },
      { id: 'yes', kind: 'opt_in', address: mail, at: 1 },
    ]),
    ERASE_KEY,
  ]);
  await world.settled();
  const { rows } = await world.db.app.query(`select id from rollcall.contacts where key = $1`, [id]);
  await world.db.app.query(
    `insert into rollcall.attempts (destination_id, contact_id, version, action, outcome, message)
       select 1, c.id, 1, 'upsert', 'reject', 'taken by ' || $1 from rollcall.contacts c where c.key <> $2`,
    [mail, id],
  );
  await world.db.app.query(
    `insert into rollcall.dead_letters (destination_id, contact_id, stage, version, code, message) values (1, $1, 'deliver', 1, 'x', $2)`,
    [rows[0].id, `no ${name}`],
  );
  await world.db.app.query(`update rollcall.destinations set pause_message = 'see ' || $1`, [mail]);
  await world.db.app.query(`update rollcall.sources set pause_message = 'see /' || $1`, [mail.replace('@', '%40')]);
  await world.db.app.query(
    `insert into rollcall.backfills (place, walked_at, ended_at) values ('0/' || $1, now(), now())`,
    [id],
  );
  const texts = [id, mail, before, phone, name, "o'hara"];
  expect(foundIn(await dumpOf(world.db.app), texts)).toEqual(texts);

  const erasure = await erase(world, id);
  await erased(world);
  const dump = await dumpOf(world.db.app);
  expect(foundIn(dump, texts)).toEqual([]);
  expect(foundIn(dump, [ERASE_KEY])).toEqual([]);
  expect(await listed(world, erasure)).toMatchObject({
    by: 'operator',
    state: 'finished',
    destinations: { mailtrap: { read_back: 'gone' } },
  });
  expect(world.sandbox.state.contact(mail)).toBeUndefined();
  expect(world.sandbox.state.contact(before)).toBeUndefined();
  expect(world.sandbox.state.contactCount).toBe(3);
  // What they said stays: nobody reads it without the key.
  expect(await canEmail(world, mail)).toBe(false);
  expect(await canEmail(world, 'other1@example.com')).toBe(true);
  expect(await canEmail(world, 'other1@example.com', null)).toBe(false);
  await worker.stop();
  expect(foundIn(world.logs.join('\n'), [mail, before, phone, name, ERASE_KEY])).toEqual([]);
});

test('unsubscribed in the sandbox, erased, signs up again: a new person, never subscribed', async () => {
  const world = await eraseWorld();
  const worker = await startFast(world);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('subscribed');
  // No webhook tells it.
  world.sandbox.state.suppress('ann@example.com');
  await erase(world, 'Ann@Example.com');
  await erased(world);
  await world.db.app.query('delete from auth.users');
  const again = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  expect(await canEmail(world, 'ann@example.com')).toBe(false);
  const { rows } = await world.db.app.query('select key from rollcall.contacts');
  expect(rows).toEqual([{ key: again }]);
  for (let n = 0; n < 5; n += 1) {
    await world.db.app.query(`update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $1::text)`, [
      `Ann ${n}`,
    ]);
    await world.settled();
    expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  }
  await worker.stop();
});

test('erased while the row stands: edited, backfilled and swept, nobody is made again', async () => {
  const world = await eraseWorld({
    connector: `table_mapping:
  customers:
    email: email
    note: N`,
    ddl: `create table public.customers (id int primary key, email text, note text)`,
  });
  const worker = await startFast(world);
  await world.signUp('bob@example.com');
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.db.app.query(`insert into public.customers values (1, 'ann@example.com', 'a')`);
  await world.settled();
  await erase(world, id);
  await erased(world);
  for (let n = 0; n < 20; n += 1) {
    await world.db.app.query(
      `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $1::text) where id = $2`,
      [`Ann ${n}`, id],
    );
    await world.db.app.query('update public.customers set note = $1', [String(n)]);
  }
  await world.settled();
  await world.db.sql.query(`select rollcall.begin_backfill('full', null, null, null, $1)`, [world.config.hash]);
  await until(world, 'exists (select from rollcall.backfills where walked_at is not null)');
  await world.db.app.query(`select nextval('rollcall.uncaptured')`);
  await world.settled();
  const { rows } = await world.db.app.query('select count(*)::int as n from rollcall.contacts');
  expect(rows).toEqual([{ n: 1 }]);
  expect(world.sandbox.state.contactCount).toBe(1);
  await until(world, '(select rotate_xid is null from rollcall.install)');
  expect(foundIn(await dumpOf(world.db.app), [id, 'ann@example.com'])).toEqual([]);
  await worker.stop();
});

test('the destination answers 500 and has them again: deleted again until a look says gone', async () => {
  const world = await eraseWorld({ destination: 'on_delete: keep' });
  const worker = await startFast(world);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  world.sandbox.addFaults([{ match: { method: 'DELETE' }, status: 500, count: 2 }]);
  const made: Promise<unknown>[] = [];
  world.sandbox.onCall((call) => {
    if (call.method !== 'DELETE' || call.status !== 204 || made.length >= 2) return;
    // Somebody puts them back by hand, before anybody looks.
    world.sandbox.addFaults([{ match: { method: 'GET' }, status: 503, count: 1_000 }]);
    made.push(
      (async () => {
        const answer = await fetch(`${world.sandbox.apiUrl}/api/contacts`, {
          method: 'POST',
          headers: { 'api-token': world.sandbox.token, 'content-type': 'application/json' },
          body: JSON.stringify({ contact: { email: 'ann@example.com' } }),
        });
        expect(answer.status).toBe(201);
        world.sandbox.clearFaults();
      })(),
    );
  });
  const erasure = await erase(world, 'ann@example.com');
  await erased(world, 40_000);
  await Promise.all(made);
  expect(world.sandbox.state.contact('ann@example.com')).toBeUndefined();
  expect((await listed(world, erasure)).destinations.mailtrap).toMatchObject({ read_back: 'gone', found_again: 2 });
  await worker.stop();
});

test('a paused destination is waited for; nobody else waits, and the brake on deletions does not hold it', async () => {
  const world = await eraseWorld({ more: `${ERASURE}\nbrakes: { deletes: { share: 0.01%, least: 1 } }` });
  const worker = await startFast(world);
  await world.signUp('ann@example.com');
  await world.signUp('bob@example.com');
  await world.settled();
  await world.db.sql.query(`select rollcall.pause_destination(1::smallint, 'plan', 'x', null)`);
  const erasure = await erase(world, 'ann@example.com');
  await until(world, 'exists (select from rollcall.erasing_at)');
  expect(await listed(world, erasure)).toMatchObject({
    state: 'at_work',
    destinations: { mailtrap: { state: 'paused' } },
  });
  // Asked for once more, it is the same one.
  expect(await erase(world, 'ann@example.com')).toBe(erasure);
  await world.db.sql.query('select rollcall.end_pauses(true, 1::smallint)');
  await erased(world);
  expect(world.sandbox.state.contactCount).toBe(1);
  await worker.stop();
});

test('somebody signs up with the address before it is deleted: it is theirs, and the no of before holds', async () => {
  const world = await eraseWorld();
  const worker = await startFast(world);
  const old = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await world.db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [
    JSON.stringify([{ id: 'no', kind: 'opt_out', address: 'ann@example.com' }]),
  ]);
  await world.settled();
  await world.db.sql.query(`select rollcall.pause_destination(1::smallint, 'plan', 'x', null)`);
  const erasure = await erase(world, old);
  await world.db.app.query('delete from auth.users');
  const young = await world.signUp('ann@example.com', { full_name: 'Another' });
  await until(world, `exists (select from rollcall.contacts where key = '${young}')`);
  await world.db.sql.query('select rollcall.end_pauses(true, 1::smallint)');
  await erased(world);
  await world.settled();
  expect((await listed(world, erasure)).destinations.mailtrap).toMatchObject({ read_back: 'taken' });
  expect(world.sandbox.state.contact('ann@example.com')).toMatchObject({ fields: { FIRSTNAME: 'Another' } });
  expect(statusOf(world, 'ann@example.com')).toBe('unsubscribed');
  expect(world.sandbox.state.calls().filter(({ method }) => method === 'DELETE')).toEqual([]);
  expect(await canEmail(world, 'ann@example.com')).toBe(false);
  expect(foundIn(await dumpOf(world.db.app), [old])).toEqual([]);
  await worker.stop();
});

test('several destinations: one that cannot be read says so, one that the config no longer names is waited for or left out', async () => {
  const receiver = await createReceiver();
  const hook = (name: string): string => `${name}:
  type: webhook
  url: ${receiver.url}${name}
  secret: whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==`;
  const world = await eraseWorld({ destinations: `${hook('hook')}\n${hook('former')}` });
  const first = await startFast(world);
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  await first.stop();
  const fewer = parseWorld(world.yaml.replace(/  former:\n(?:    .*\n)+/, ''));
  await applyInstall(world.db.sql, fewer, projectRef(world.db.hostedUrl, undefined));
  const worker = await world.start(fewer, { times: { eraseLookMs: 20, upkeepEveryMs: 200 } });
  const erasure = await erase(world, 'ann@example.com');
  await expect
    .poll(async () => (await listed(world, erasure)).destinations, { timeout: 10_000 })
    .toMatchObject({ mailtrap: { state: 'done' }, hook: { state: 'done' }, former: { state: 'off' } });
  expect(
    receiver.received.filter(({ body }) => body.includes('deleted') && body.includes('ann@example.com')),
  ).toHaveLength(1);
  await world.db.sql.query('select rollcall.leave_out($1, $2)', [erasure, 'former']);
  await erased(world);
  expect((await listed(world, erasure)).destinations).toMatchObject({
    mailtrap: { read_back: 'gone' },
    hook: { read_back: 'cannot_be_read' },
    former: { read_back: 'left_out' },
  });
  expect(foundIn(await dumpOf(world.db.app), ['ann@example.com'])).toEqual([]);
  await worker.stop();
});

test('of whom nothing is held, nobody is erased; without a key, or with another one, neither', async () => {
  const world = await eraseWorld();
  await expect(erase(world, 'nobody@example.com')).rejects.toMatchObject({ code: 'RC063' });
  await expect(erase(world, randomUUID())).rejects.toMatchObject({ code: 'RC063' });
  await world.signUp('ann@example.com');
  await expect(world.db.sql.query(`select rollcall.erase('ann@example.com')`)).rejects.toMatchObject({ code: 'RC061' });
});
