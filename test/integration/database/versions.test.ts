import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { retryFailures } from '../../../src/sql/store/failures.ts';
import { type Installed, installed, LEASE } from './support.ts';

const UNKNOWN = { kind: 'unknown', code: 'timeout', message: '' } as const;
const RETRY = { kind: 'retry', code: 'http_500', message: '' } as const;
const REJECT = { kind: 'reject', code: 'bad_field', message: 'no', field: 'FIRSTNAME' } as const;

async function rename(one: Installed, id: string, name: string): Promise<void> {
  await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, { full_name: name }]);
  await one.foldAll();
}

/** Lets the clock of the queue run: leases end, graces are over. */
async function later(one: Installed, seconds: number): Promise<void> {
  await one.db.app.query(
    `update rollcall.due set due_at = due_at - $1 * interval '1 second', unknown_until = unknown_until - $1 * interval '1 second',
       not_before = not_before - $1 * interval '1 second'`,
    [seconds],
  );
}

async function deadLetters(one: Installed): Promise<unknown[]> {
  return (await one.db.app.query('select stage, code, field, message from rollcall.dead_letters')).rows;
}

test('A to B to A is two changes, and in step means that the newest version was delivered', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  await one.deliverAll();
  expect(await one.desired(id)).toMatchObject({ version: 1, delivered_version: 1, due: false });
  await rename(one, id, 'B');
  const [b] = await one.claim();
  expect(b).toMatchObject({ version: '2', attributes: { FIRSTNAME: 'B' } });
  await rename(one, id, 'A');
  expect(await one.desired(id)).toMatchObject({ version: 3, delivered_version: 1, due: true });
  await one.settle(b!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ version: 3, delivered_version: 2, due: true, leased: false });
  expect(await one.deliverAll()).toMatchObject([{ version: '3', attributes: { FIRSTNAME: 'A' } }]);
  expect(await one.desired(id)).toMatchObject({ version: 3, delivered_version: 3, due: false });
});

test('a worker that died leaves a lease; when it has run out the contact is sent at once, and again after the grace', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  await one.claim();
  expect(await one.claim(), 'leased').toEqual([]);
  await later(one, 21);
  const second = { token: randomUUID(), ...LEASE };
  const [again] = await one.claim(10, second);
  expect(again).toMatchObject({ version: '1' });
  expect((await one.desired(id))?.unknown_in_s).toBeGreaterThan(110);
  await one.settle(again!, 'delivered', 0, second);
  const waiting = await one.desired(id);
  expect(waiting).toMatchObject({ delivered_version: 1, version: 1, due: true, leased: false });
  expect(waiting!.due_in_s).toBeGreaterThan(110);
  await later(one, 121);
  expect(await one.deliverAll()).toHaveLength(1);
  expect(await one.desired(id)).toMatchObject({ due: false });
});

test('an attempt of unknown outcome is due at once, then once more after the grace', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [first] = await one.claim();
  await one.settle(first!, UNKNOWN);
  expect(await one.desired(id)).toMatchObject({ remote_address: 'a@x.y', delivered_version: null, due: true });
  const [second] = await one.claim();
  await one.settle(second!, 'delivered');
  expect((await one.desired(id))!.due_in_s).toBeGreaterThan(110);
  await later(one, 121);
  const [third] = await one.claim();
  expect(third).toMatchObject({ version: '1' });
  await one.settle(third!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ due: false, delivered_version: 1 });
});

test('who is tried again only when the grace is over may have been accepted: no repetition of what was sent before', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  await one.settle((await one.claim())[0]!, UNKNOWN);
  await rename(one, id, 'B');
  await one.settle((await one.claim())[0]!, UNKNOWN);
  const [soon] = await one.claim();
  expect(soon).toMatchObject({ version: '2', again: false });
  await one.settle(soon!, UNKNOWN);
  await later(one, 121);
  const [last] = await one.claim();
  expect(last).toMatchObject({ version: '2', again: true });
  await one.settle(last!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ due: false, delivered_version: 2 });
});

test('what was accepted while in doubt and is refused after the grace is not in step, and is sent when a person says so', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  await one.settle((await one.claim())[0]!, UNKNOWN);
  await rename(one, id, 'B');
  await one.settle((await one.claim())[0]!, 'delivered');
  await later(one, 121);
  const [repetition] = await one.claim();
  expect(repetition).toMatchObject({ version: '2', again: true });
  await one.settle(repetition!, REJECT);
  expect(await deadLetters(one)).toHaveLength(1);
  expect(await one.desired(id)).toMatchObject({ version: 2, delivered_version: 1, due: false });
  await retryFailures(one.db.sql, { destination: 'mailtrap' });
  const [again] = await one.claim();
  expect(again).toMatchObject({ version: '2', sendState: true, attributes: { FIRSTNAME: 'B' } });
  await one.settle(again!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ version: 2, delivered_version: 2, due: false });
  expect(await deadLetters(one)).toEqual([]);
});

test('an attempt that was claimed within the grace is no last one, however late it is settled', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [first] = await one.claim();
  await one.settle(first!, UNKNOWN);
  const [second] = await one.claim();
  // The disk was full, say: the grace has ended since, and what the first one sent may have arrived after the second.
  await one.db.app.query(
    `update rollcall.due set unknown_until = due_at - $1::int * interval '1 millisecond' + interval '1 millisecond'`,
    [one.lease.leaseMs],
  );
  await one.settle(second!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ due: true, delivered_version: 1 });
  const [third] = await one.claim();
  expect(third).toMatchObject({ version: '1' });
  await one.settle(third!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ due: false });
});

test('a settle under a lost lease makes the contact due again, at once and after the grace', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  const slow = { token: randomUUID(), ...LEASE };
  const [stale] = await one.claim(10, slow);
  await rename(one, id, 'B');
  await later(one, 21);
  const [newer] = await one.claim();
  await one.settle(newer!, 'delivered');
  await later(one, 121);
  expect(await one.deliverAll()).toHaveLength(1);
  expect(await one.desired(id)).toMatchObject({ due: false, delivered_version: 2 });
  await one.settle(stale!, 'delivered', 0, slow);
  expect(await one.desired(id)).toMatchObject({ due: true, delivered_version: 2, version: 2 });
  expect(await one.deliverAll()).toMatchObject([{ attributes: { FIRSTNAME: 'B' } }]);
  expect((await one.desired(id))!.due_in_s).toBeGreaterThan(110);
});

test('a late answer to a lost lease does not free what another worker holds', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const slow = { token: randomUUID(), ...LEASE };
  const [stale] = await one.claim(10, slow);
  await later(one, 21);
  const [held] = await one.claim();
  await one.settle(stale!, 'delivered', 0, slow);
  expect(await one.desired(id)).toMatchObject({ leased: true });
  await one.store.release(one.destination, slow.token, [stale!.contactId]);
  expect(await one.desired(id)).toMatchObject({ leased: true });
  await one.settle(held!, 'delivered');
  expect(await one.desired(id)).toMatchObject({ leased: false, due: true });
});

test('a person erased while an upsert of unknown outcome may still arrive is deleted again after the grace', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [first] = await one.claim();
  await one.settle(first!, UNKNOWN);
  await one.db.app.query('delete from auth.users where id = $1', [id]);
  await one.foldAll();
  const [gone] = await one.claim();
  expect(gone).toMatchObject({ action: 'delete', remote: { address: 'a@x.y' } });
  await one.settle(gone!, 'delivered');
  expect(await one.desired(id)).toMatchObject({
    action: 'delete',
    remote_address: 'a@x.y',
    remote_id: null,
    due: true,
  });
  await later(one, 121);
  expect(await one.deliverAll()).toMatchObject([{ action: 'delete', remote: { address: 'a@x.y' } }]);
  expect(await one.desired(id)).toMatchObject({ action: 'none', remote_address: null, due: false });
});

test('an upsert that arrives after the person was erased is taken back', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  await one.deliverAll();
  await rename(one, id, 'B');
  const slow = { token: randomUUID(), ...LEASE };
  const [stale] = await one.claim(10, slow);
  await one.db.app.query('delete from auth.users where id = $1', [id]);
  await one.foldAll();
  await later(one, 21);
  const [gone] = await one.claim();
  await one.settle(gone!, 'delivered');
  await later(one, 121);
  await one.deliverAll();
  expect(await one.desired(id)).toMatchObject({ action: 'none', due: false });
  await one.settle(stale!, 'delivered', 0, slow);
  expect(await one.desired(id)).toMatchObject({ action: 'delete', remote_address: 'a@x.y', due: true });
});

test('retry, throttle and config leave the version due; a reject becomes a dead letter until something changes', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [first] = await one.claim();
  await one.settle(first!, RETRY, 5_000);
  expect((await one.desired(id))!.due_in_s).toBeGreaterThan(3);
  await later(one, 6);
  const [second] = await one.claim();
  expect(second).toMatchObject({ tries: 1 });
  await one.settle(second!, { kind: 'config', code: 'unauthorized', message: '' });
  const [third] = await one.claim();
  expect(third).toMatchObject({ tries: 1, remote: null });
  await one.settle(third!, REJECT);
  expect(await one.desired(id)).toMatchObject({ due: false, delivered_version: null, remote_address: null });
  expect(await deadLetters(one)).toEqual([{ stage: 'deliver', code: 'bad_field', field: 'FIRSTNAME', message: 'no' }]);
  await rename(one, id, 'B');
  expect(await deadLetters(one)).toEqual([]);
  expect(await one.deliverAll()).toHaveLength(1);
});

test('a reject of an old version is no dead letter', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y', { full_name: 'A' });
  await one.foldAll();
  const [first] = await one.claim();
  await rename(one, id, 'B');
  await one.settle(first!, REJECT);
  expect(await deadLetters(one)).toEqual([]);
  expect(await one.desired(id)).toMatchObject({ due: true, leased: false });
});

test('a contact that was deleted and comes back is created anew', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query('delete from auth.users where id = $1', [id]);
  await one.foldAll();
  await one.deliverAll();
  await one.db.app.query(`insert into auth.users (id, email) values ($1, 'a@x.y')`, [id]);
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([{ action: 'upsert', remote: null, address: 'a@x.y' }]);
});
