import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { delivered, move, remove } from './people.ts';
import { type Installed, installed, LEASE } from './support.ts';

const UNKNOWN = { kind: 'unknown', code: 'timeout', message: '' } as const;
const RETRY = { kind: 'retry', code: 'http_500', message: '' } as const;

async function later(one: Installed, seconds: number): Promise<void> {
  await one.db.app.query(
    `update rollcall.due set due_at = due_at - $1 * interval '1 second', unknown_until = unknown_until - $1 * interval '1 second',
       not_before = not_before - $1 * interval '1 second'`,
    [seconds],
  );
}

for (const separately of [true, false]) {
  test(`a delete that waits is void once another person has the address, ${separately ? 'in a later fold' : 'in the same fold'}`, async () => {
    const one = await installed();
    const first = await delivered(one, 'a@x.y');
    await remove(one, first);
    if (separately) {
      await one.foldAll();
      expect(await one.desired(first)).toMatchObject({ action: 'delete', due: true });
    }
    const second = await one.insert('a@x.y');
    await one.foldAll();
    expect(await one.desired(first)).toMatchObject({
      action: 'none',
      remote_address: null,
      remote_id: null,
      due: false,
    });
    expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'a@x.y', takeover: true, due: true });
    expect(await one.deliverAll()).toMatchObject([{ action: 'upsert', address: 'a@x.y', takeover: true }]);
    expect(await one.desired(second)).toMatchObject({ takeover: false, due: false });
  });
}

test('a newcomer clears what was there before once more, when an attempt for the former owner may have arrived meanwhile', async () => {
  const one = await installed();
  const first = await one.insert('a@x.y');
  await one.foldAll();
  const [lost] = await one.claim();
  await one.settle(lost!, UNKNOWN);
  await remove(one, first);
  const second = await one.insert('a@x.y');
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([{ action: 'upsert', address: 'a@x.y', takeover: true }]);
  expect(await one.desired(second)).toMatchObject({ takeover: true, due: true });
  await later(one, 600);
  expect(await one.deliverAll()).toMatchObject([{ action: 'upsert', address: 'a@x.y', takeover: true }]);
  expect(await one.desired(second)).toMatchObject({ takeover: false, due: false });
});

test('an address that was left is removed once more, when an attempt for it may have arrived meanwhile', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [lost] = await one.claim();
  await one.settle(lost!, UNKNOWN);
  await move(one, id, 'b@x.y');
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([{ address: 'b@x.y', remote: { address: 'a@x.y', leftovers: [] } }]);
  expect(await one.desired(id)).toMatchObject({ remote_address: 'b@x.y', leftovers: ['a@x.y'], due: true });
  await later(one, 600);
  expect(await one.deliverAll()).toMatchObject([{ address: 'b@x.y', remote: { leftovers: ['a@x.y'] } }]);
  expect(await one.desired(id)).toMatchObject({ leftovers: null, due: false });
});

test('a newcomer waits no longer than the request in flight for the address takes', async () => {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  await remove(one, first);
  await one.foldAll();
  const [inFlight] = await one.claim();
  const second = await one.insert('a@x.y');
  await one.foldAll();
  expect((await one.desired(second))!.due_in_s).toBeGreaterThan(15);
  await one.settle(inFlight!, 'delivered');
  expect((await one.desired(second))!.due_in_s).toBeLessThanOrEqual(0);
  expect(await one.claim()).toMatchObject([{ action: 'upsert', address: 'a@x.y', takeover: true }]);
});

test('whoever takes an address from one who waits for a request in flight for it waits as well', async () => {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  await remove(one, first);
  await one.foldAll();
  const [inFlight] = await one.claim();
  const second = await one.insert('a@x.y');
  await one.foldAll();
  await remove(one, second);
  const third = await one.insert('a@x.y');
  await one.foldAll();
  expect((await one.desired(third))!.due_in_s).toBeGreaterThan(15);
  expect(await one.claim()).toEqual([]);
  await one.settle(inFlight!, 'delivered');
  expect(await one.claim()).toMatchObject([{ action: 'upsert', address: 'a@x.y', takeover: true }]);
});

test('a delete in flight is waited out, and the newcomer is sent once more after the grace', async () => {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  await remove(one, first);
  await one.foldAll();
  const [inFlight] = await one.claim();
  expect(inFlight).toMatchObject({ action: 'delete', remote: { id: 'id of a@x.y' } });
  const second = await one.insert('a@x.y');
  await one.foldAll();
  const waiting = (await one.desired(second))!;
  expect(waiting.due_in_s).toBeGreaterThan(15);
  expect(waiting.due_in_s).toBeLessThan(21);
  expect(waiting.unknown_in_s).toBeGreaterThan(135);
  await one.settle(inFlight!, UNKNOWN);
  expect(await one.desired(first)).toMatchObject({ action: 'none', due: false, remote_address: null });
  await later(one, 21);
  const [upsert] = await one.claim();
  expect(upsert).toMatchObject({ action: 'upsert', address: 'a@x.y', takeover: true });
  await one.settle(upsert!, 'delivered');
  expect((await one.desired(second))!.due_in_s).toBeGreaterThan(100);
  await later(one, 121);
  expect(await one.deliverAll()).toHaveLength(1);
  expect(await one.desired(second)).toMatchObject({ due: false });
});

test('an upsert in flight to an address that another person takes: theirs comes later, and the id is theirs', async () => {
  const one = await installed();
  const first = await one.insert('a@x.y');
  await one.foldAll();
  const [inFlight] = await one.claim();
  await move(one, first, 'b@x.y');
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({ address: 'b@x.y', remote_address: 'a@x.y' });
  const second = await one.insert('a@x.y');
  await one.foldAll();
  expect((await one.desired(second))!.due_in_s).toBeGreaterThan(15);
  expect(await one.desired(first)).toMatchObject({ remote_address: null, carry_from: 'a@x.y' });
  await one.settle(inFlight!, { kind: 'delivered', remoteId: '77' });
  expect(await one.desired(first)).toMatchObject({
    remote_address: null,
    remote_id: null,
    address: 'b@x.y',
    due: true,
  });
  await later(one, 21);
  for (const delivery of await one.claim())
    await one.settle(delivery, { kind: 'delivered', remoteId: delivery.address === 'a@x.y' ? '77' : '78' });
  expect(await one.desired(second)).toMatchObject({ remote_address: 'a@x.y', remote_id: '77' });
  expect(await one.desired(first)).toMatchObject({ remote_address: 'b@x.y', remote_id: '78' });
});

test('an address left behind while a request to it was in flight is removed later, unless another took it', async () => {
  const one = await installed();
  const first = await delivered(one, 'r@x.y');
  await move(one, first, 'a@x.y');
  await one.foldAll();
  const [toA] = await one.claim();
  await move(one, first, 'b@x.y');
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({ remote_address: 'r@x.y', leftovers: ['a@x.y'] });
  const second = await one.insert('a@x.y');
  await one.foldAll();
  const taken = (await one.desired(second))!;
  expect(taken).toMatchObject({ address: 'a@x.y', takeover: true });
  expect(taken.due_in_s, 'the request to a@x.y is waited out').toBeGreaterThan(15);
  expect(await one.desired(first)).toMatchObject({ remote_address: 'r@x.y', leftovers: null });
  await one.settle(toA!, RETRY);
  const [toB] = await one.claim();
  expect(toB).toMatchObject({ address: 'b@x.y', remote: { address: 'r@x.y', leftovers: [] } });
});

test('a delete with leftovers stays a delete when only one of its addresses is taken', async () => {
  const one = await installed();
  const first = await delivered(one, 'r@x.y');
  await move(one, first, 'a@x.y');
  await one.foldAll();
  const [toA] = await one.claim();
  await remove(one, first);
  await one.foldAll();
  await one.settle(toA!, RETRY);
  expect(await one.desired(first)).toMatchObject({ action: 'delete', remote_address: 'r@x.y', leftovers: ['a@x.y'] });
  await one.insert('r@x.y');
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({
    action: 'delete',
    remote_address: null,
    leftovers: ['a@x.y'],
    due: true,
  });
});

test('half a delivery: the new address was accepted, the old one is still to be removed', async () => {
  const one = await installed();
  const first = await delivered(one, 'r@x.y');
  await move(one, first, 'a@x.y');
  await one.foldAll();
  const [toA] = await one.claim();
  await one.store.settle(one.destination, one.lease, [
    { delivery: toA!, outcome: RETRY, waitMs: 0, latencyMs: 1, partial: { remoteId: '5' } },
  ]);
  expect(await one.desired(first)).toMatchObject({
    remote_address: 'a@x.y',
    remote_id: '5',
    leftovers: ['r@x.y'],
    due: true,
  });
  expect(await one.deliverAll()).toMatchObject([{ remote: { address: 'a@x.y', id: '5', leftovers: ['r@x.y'] } }]);
  expect(await one.desired(first)).toMatchObject({ remote_address: 'a@x.y', leftovers: null, due: false });
});

test('two people swap their addresses, in one transaction and in separate folds', async () => {
  const one = await installed();
  const ann = await delivered(one, 'ann@x.y');
  const bob = await delivered(one, 'bob@x.y');
  const { app } = one.db;
  await app.query('begin');
  await move(one, ann, 'tmp@x.y');
  await move(one, bob, 'ann@x.y');
  await move(one, ann, 'bob@x.y');
  await app.query('commit');
  await one.foldAll();
  expect(await one.desired(ann)).toMatchObject({
    action: 'upsert',
    address: 'bob@x.y',
    takeover: true,
    carry_from: 'ann@x.y',
  });
  expect(await one.desired(bob)).toMatchObject({
    action: 'upsert',
    address: 'ann@x.y',
    takeover: true,
    carry_from: 'bob@x.y',
  });
  await one.deliverAll();
  expect(await one.desired(ann)).toMatchObject({ remote_address: 'bob@x.y', due: false });
  expect(await one.desired(bob)).toMatchObject({ remote_address: 'ann@x.y', due: false });

  await move(one, ann, 'tmp@x.y');
  await one.foldAll();
  await move(one, bob, 'bob@x.y');
  await one.foldAll();
  await move(one, ann, 'ann@x.y');
  await one.foldAll();
  await one.deliverAll();
  expect(await one.desired(ann)).toMatchObject({ address: 'ann@x.y', remote_address: 'ann@x.y', due: false });
  expect(await one.desired(bob)).toMatchObject({ address: 'bob@x.y', remote_address: 'bob@x.y', due: false });
});

for (const how of ['leaves', 'moves', 'is filtered'] as const) {
  test(`of two SSO users with one address the second waits, and has it when the first ${how}`, async () => {
    const one = await installed();
    const first = await one.insert('sso@x.y', {}, { is_sso_user: true });
    await one.foldAll();
    const second = await one.insert('SSO@x.y', {}, { is_sso_user: true });
    await one.foldAll();
    expect(await one.desired(first)).toMatchObject({ action: 'upsert', address: 'sso@x.y' });
    expect(await one.desired(second)).toMatchObject({
      action: 'none',
      reason: 'address_taken',
      waiting_for: 'sso@x.y',
      due: false,
    });
    await one.deliverAll();
    if (how === 'leaves') await remove(one, first);
    else if (how === 'moves') await move(one, first, 'else@x.y');
    else await one.db.app.query('update auth.users set is_anonymous = true where id = $1', [first]);
    await one.foldAll();
    expect(await one.desired(second)).toMatchObject({
      action: 'upsert',
      address: 'sso@x.y',
      waiting_for: null,
      takeover: true,
    });
    const sent = await one.deliverAll();
    expect(
      sent.filter((d) => d.action === 'delete'),
      'the contact is the second one now',
    ).toEqual([]);
  });
}

test('one who waited and moves on leaves the old contact to be removed', async () => {
  const one = await installed();
  await one.insert('sso@x.y', {}, { is_sso_user: true });
  await one.foldAll();
  const second = await delivered(one, 'own@x.y');
  await one.db.app.query(`update auth.users set is_sso_user = true, email = 'sso@x.y' where id = $1`, [second]);
  await one.foldAll();
  expect(await one.desired(second)).toMatchObject({
    action: 'delete',
    reason: 'address_taken',
    remote_address: 'own@x.y',
  });
  await move(one, second, 'third@x.y');
  await one.foldAll();
  expect(await one.desired(second)).toMatchObject({
    action: 'upsert',
    address: 'third@x.y',
    remote_address: 'own@x.y',
  });
});

test('somebody left waiting for an address that is free is found by the sweep', async () => {
  const one = await installed();
  const first = await one.insert('sso@x.y', {}, { is_sso_user: true });
  await one.foldAll();
  const second = await one.insert('sso@x.y', {}, { is_sso_user: true });
  await one.foldAll();
  await remove(one, first);
  await one.foldAll();
  await one.db.app.query(
    `update rollcall.desired set action = 'none', reason = 'address_taken', address = null, waiting_for = 'sso@x.y', hash = ''
      where address = 'sso@x.y'`,
  );
  await one.sweepNow();
  expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'sso@x.y', due: true });
});

test('two contacts that the destination makes one: the id stays with the later one, and settling goes on', async () => {
  const one = await installed();
  const first = await one.insert('a.b@x.y');
  const second = await one.insert('ab@x.y');
  await one.foldAll();
  const claimed = await one.claim();
  await one.store.settle(
    one.destination,
    one.lease,
    claimed.map((delivery) => ({ delivery, outcome: { kind: 'delivered', remoteId: '9' }, waitMs: 0, latencyMs: 1 })),
  );
  const ids = [(await one.desired(first))!.remote_id, (await one.desired(second))!.remote_id];
  expect(ids.filter((id) => id === '9')).toHaveLength(1);
  expect(await one.claim()).toEqual([]);
});

test('a claim reads what a fold that it raced with has committed', async () => {
  const one = await installed();
  const first = await one.insert('a@x.y');
  await one.foldAll();
  const folding = await one.db.connect();
  await move(one, first, 'b@x.y');
  await one.insert('a@x.y');
  await folding.query('begin');
  await folding.query('select rollcall.fold($1, 100)', [one.config.hash]);
  const lease = { token: randomUUID(), ...LEASE };
  // The queue row is locked by the fold: not a stale version is claimed, but none.
  expect(await one.claim(10, lease)).toEqual([]);
  await folding.query('commit');
  const claimed = await one.claim(10, lease);
  expect(claimed.map((d) => [d.address, d.version]).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
    ['a@x.y', '1'],
    ['b@x.y', '2'],
  ]);
});

test('whoever takes an address while under lease waits for the lease of whom they take it from, through every change', async () => {
  const one = await installed();
  const leaseOfA = { ...LEASE, token: randomUUID() };
  const leaseOfB = { ...LEASE, token: randomUUID() };
  const a = await one.insert('a@x.y');
  await one.foldAll();
  const [ofA] = await one.claim(1, leaseOfA);
  const b = await one.insert('b@x.y');
  await one.foldAll();
  const [ofB] = await one.claim(1, leaseOfB);
  expect([ofA?.address, ofB?.address]).toEqual(['a@x.y', 'b@x.y']);
  // Both are in flight: one leaves, and the other takes the address.
  await remove(one, a);
  await move(one, b, 'a@x.y');
  await one.foldAll();
  await one.settle(ofB!, 'delivered', 0, leaseOfB);
  expect(await one.claim()).toEqual([]);
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}'`);
  await one.foldAll();
  expect(await one.claim()).toEqual([]);
  await one.settle(ofA!, 'delivered', 0, leaseOfA);
  expect((await one.claim()).map((d) => [d.action, d.address])).toEqual([['upsert', 'a@x.y']]);
});

test('whoever takes an address and leaves before anything is sent takes the contact there along', async () => {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  await remove(one, first);
  await one.foldAll();
  const second = await one.insert('a@x.y');
  await one.foldAll();
  await remove(one, second);
  await one.foldAll();
  expect((await one.deliverAll()).map((d) => [d.action, d.remote?.address])).toEqual([['delete', 'a@x.y']]);

  const third = await delivered(one, 'c@x.y');
  const moving = await delivered(one, 'm@x.y');
  await remove(one, third);
  await move(one, moving, 'c@x.y');
  await one.foldAll();
  await remove(one, moving);
  await one.foldAll();
  const [gone] = await one.deliverAll();
  expect([gone?.action, gone?.remote?.address, gone?.remote?.leftovers]).toEqual(['delete', 'm@x.y', ['c@x.y']]);
});
