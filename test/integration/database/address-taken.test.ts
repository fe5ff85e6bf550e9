import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { delivered, move, remove } from './people.ts';
import type { Claimed } from '../../../src/engine/ports.ts';
import { type Installed, installed } from './support.ts';

/** The second one's deletion at b@x.y is in flight, and they have come back at a@x.y, which the first one has left; not folded yet. */
async function takenWhileInFlight(): Promise<{ one: Installed; second: string; inFlight: Claimed | undefined }> {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  const second = await delivered(one, 'b@x.y');
  await one.db.app.query(`update auth.users set is_anonymous = true where id = $1`, [second]);
  await one.foldAll();
  const [inFlight] = await one.claim();
  expect(inFlight).toMatchObject({ action: 'delete', remote: { address: 'b@x.y' } });
  await remove(one, first);
  await one.db.app.query(`update auth.users set is_anonymous = false, email = 'a@x.y' where id = $1`, [second]);
  return { one, second, inFlight };
}

for (const left of ['address', 'id'] as const) {
  test(`an address that was taken while an earlier request was in flight stays its taker's to remove, who had ${left === 'id' ? 'a contact of their own' : 'lost theirs'}`, async () => {
    const one = await installed();
    const first = await delivered(one, 'a@x.y');
    const second = await delivered(one, 'b@x.y');
    await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "B"}' where id = $1`, [second]);
    await one.foldAll();
    const [inFlight] = await one.claim();
    await remove(one, first);
    await move(one, second, 'a@x.y');
    if (left === 'address') await one.insert('b@x.y');
    await one.foldAll();
    await one.settle(inFlight!, { kind: 'delivered', remoteId: 'id of b@x.y' });
    const taken = left === 'address' ? { remote_address: 'a@x.y' } : { remote_address: 'b@x.y', leftovers: ['a@x.y'] };
    expect(await one.desired(second)).toMatchObject(taken);
    await remove(one, second);
    await one.foldAll();
    const gone = (await one.deliverAll()).filter(({ action }) => action === 'delete');
    expect(gone).toMatchObject([
      left === 'address'
        ? { remote: { address: 'a@x.y', id: null, leftovers: [] } }
        : { remote: { address: 'b@x.y', id: 'id of b@x.y', leftovers: ['a@x.y'] } },
    ]);
    expect(await one.desired(second)).toMatchObject({ remote_address: null, leftovers: null, due: false });
  });
}

test('an address that was taken while a deletion was in flight stays to be removed, should its taker leave again', async () => {
  const { one, second, inFlight } = await takenWhileInFlight();
  await one.foldAll();
  await one.settle(inFlight!, 'delivered');
  await remove(one, second);
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([
    { action: 'delete', remote: { address: null, id: null, leftovers: ['a@x.y'] } },
  ]);
});

for (const left of ['free', 'taken'] as const) {
  test(`an address that was taken and left again while a deletion was in flight is removed after it; the one before is ${left}`, async () => {
    const { one, second, inFlight } = await takenWhileInFlight();
    if (left === 'taken') await one.insert('b@x.y');
    await one.foldAll();
    await remove(one, second);
    await one.foldAll();
    await one.settle(inFlight!, 'delivered');
    const gone = (await one.deliverAll()).filter(({ action }) => action === 'delete');
    expect(gone.flatMap(({ remote }) => [remote?.address, ...(remote?.leftovers ?? [])])).toContain('a@x.y');
    expect(await one.desired(second)).toMatchObject({ remote_address: null, leftovers: null, due: false });
  });
}

for (const when of ['before', 'after'] as const) {
  test(`whoever takes an address keeps their own doubt, begun ${when} that, when the request for the address is over`, async () => {
    const one = await installed();
    const first = await delivered(one, 'a@x.y');
    await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A"}' where id = $1`, [first]);
    const second = await one.insert('b@x.y');
    await one.foldAll();
    const claimed = await one.claim();
    const own = claimed.find(({ address }) => address === 'b@x.y')!;
    const theirs = claimed.find(({ address }) => address === 'a@x.y')!;
    const unknown = { kind: 'unknown', code: 'connection_closed', message: '' } as const;
    if (when === 'before') await one.settle(own, unknown);
    await remove(one, first);
    await move(one, second, 'a@x.y');
    await one.foldAll();
    if (when === 'after') await one.settle(own, unknown);
    await one.settle(theirs, 'delivered');
    const [again] = (await one.claim()).filter(({ address }) => address === 'a@x.y');
    await one.settle(again!, 'delivered');
    expect(await one.desired(second), 'their first request may still make a contact at b@x.y').toMatchObject({
      due: true,
    });
  });
}

test('a request that moved elsewhere meanwhile leaves the taken address to be removed', async () => {
  const one = await installed();
  const first = await delivered(one, 'b@x.y');
  const second = await delivered(one, 'r@x.y');
  await move(one, second, 'a@x.y');
  await one.foldAll();
  const [toA] = await one.claim();
  await remove(one, first);
  await move(one, second, 'b@x.y');
  await one.insert('r@x.y');
  await one.foldAll();
  expect(await one.desired(second)).toMatchObject({ remote_address: 'b@x.y', leftovers: ['a@x.y'] });
  await one.settle(toA!, { kind: 'delivered', remoteId: '7' });
  await remove(one, second);
  await one.foldAll();
  const [gone] = (await one.deliverAll()).filter(({ action }) => action === 'delete');
  expect(gone).toMatchObject({ remote: { address: 'a@x.y', id: '7' } });
  expect(gone?.remote?.leftovers).toContain('b@x.y');
});

test('who leaves after an attempt that failed, whatever came in between, is removed: it may have arrived', async () => {
  const one = await installed();
  const id = await one.insert('a@x.y');
  await one.foldAll();
  const [failed] = await one.claim();
  await one.settle(failed!, { kind: 'retry', code: 'http_500', message: '' });
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A"}' where id = $1`, [id]);
  await one.foldAll();
  await remove(one, id);
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([{ action: 'delete', remote: { address: 'a@x.y' } }]);
});

test('who leaves after a request for many that failed is removed, and everybody else in it is sent once more: it may go on by itself', async () => {
  const one = await installed();
  const leaves = await one.insert('a@x.y');
  const stays = await one.insert('b@x.y');
  await one.foldAll();
  const job = { token: randomUUID(), holder: randomUUID(), holdMs: 5_000 };
  const scope = { lane: 0, most: 10, mostBytes: 10_000, consents: ['basis'], atOnce: 1, jobMs: 60_000 } as const;
  expect(await one.store.claimJob(one.destination, job, scope)).toHaveLength(2);
  await one.store.releaseJob(job, { waitMs: 0, failed: true, single: false, doubtMs: 120_000 });
  await one.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name": "A"}' where id = $1`, [leaves]);
  await one.foldAll();
  await remove(one, leaves);
  const third = await one.insert('c@x.y');
  await move(one, stays, 'd@x.y');
  await move(one, third, 'b@x.y');
  await one.foldAll();
  const sent = await one.deliverAll();
  expect(sent.find(({ action }) => action === 'delete')).toMatchObject({ remote: { address: 'a@x.y' } });
  expect(sent.find(({ address }) => address === 'b@x.y')).toMatchObject({ takeover: true });
  expect((await one.desired(stays))!.unknown_in_s).toBeGreaterThan(60);
});

test('a chain of moves of which only the last was seen: everybody is looked at, and no living person is removed on the way', async () => {
  const one = await installed();
  const [first, second, third] = [
    await delivered(one, 'a@x.y'),
    await delivered(one, 'b@x.y'),
    await delivered(one, 'c@x.y'),
  ];
  // The disk was full, say.
  await one.db.app.query('set session_replication_role = replica');
  await remove(one, third);
  await move(one, second, 'c@x.y');
  await one.db.app.query('set session_replication_role = origin');
  await move(one, first, 'b@x.y');
  await one.store.fold(1_000);
  expect(await one.desired(first)).toMatchObject({ action: 'delete', reason: 'address_taken' });
  expect(await one.claim()).toEqual([]);
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({ action: 'upsert', address: 'b@x.y' });
  expect(await one.desired(second)).toMatchObject({ action: 'upsert', address: 'c@x.y' });
  expect((await one.deliverAll()).map(({ action }) => action)).toEqual(['upsert', 'upsert']);
});

test('who is kept from an address by somebody who does live there is removed a little later', async () => {
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  await delivered(one, 'b@x.y');
  await one.db.app.query(`update auth.users set is_sso_user = true`);
  await move(one, first, 'b@x.y');
  await one.foldAll();
  expect(await one.desired(first)).toMatchObject({ action: 'delete', reason: 'address_taken' });
  expect((await one.desired(first))!.due_in_s).toBeGreaterThan(1);
  expect(await one.store.fold(1_000)).toMatchObject({ taken: 0 });
});
