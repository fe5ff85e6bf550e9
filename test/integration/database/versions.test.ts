import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { installed, LEASE } from './support.ts';

const UNKNOWN = { kind: 'unknown', code: 'timeout', message: '' } as const;

async function rename(one: Awaited<ReturnType<typeof installed>>, id: string, name: string): Promise<void> {
  await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, { full_name: name }]);
  await one.foldAll();
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
