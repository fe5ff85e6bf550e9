import { expect, test } from 'vitest';
import { delivered, move, remove } from './people.ts';
import { installed } from './support.ts';

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
  const one = await installed();
  const first = await delivered(one, 'a@x.y');
  const second = await delivered(one, 'b@x.y');
  await one.db.app.query(`update auth.users set is_anonymous = true where id = $1`, [second]);
  await one.foldAll();
  const [inFlight] = await one.claim();
  expect(inFlight).toMatchObject({ action: 'delete', remote: { address: 'b@x.y' } });
  await remove(one, first);
  await one.db.app.query(`update auth.users set is_anonymous = false, email = 'a@x.y' where id = $1`, [second]);
  await one.foldAll();
  await one.settle(inFlight!, 'delivered');
  await remove(one, second);
  await one.foldAll();
  expect(await one.deliverAll()).toMatchObject([
    { action: 'delete', remote: { address: null, id: null, leftovers: ['a@x.y'] } },
  ]);
});

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
