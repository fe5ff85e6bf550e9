import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVault, putSecret } from '../../support/vault.ts';
import { type Installed, installed } from './support.ts';

const KEY = 'a key of erasures that is long enough';

/** The hashes of texts, by the database. */
async function hashes(one: Installed, texts: readonly string[], key: string | null): Promise<string[]> {
  const { rows } = await one.db.app.query(
    `select array(select encode(h, 'hex') from unnest(rollcall.keyed_hashes(array[rollcall.with_key(null, $2)] || $1::text[])) with ordinality as x(h, n)
       where n > 1 order by n) as hashes`,
    [texts, key],
  );
  return rows[0].hashes as string[];
}

const HOSTILE = [
  '',
  'ann@example.com',
  `o'brien"\\u0000' or 1=1 --@x.test`,
  'ünïcødé+\u{1f600}@exämple.test',
  '٠١٢\u200f\u202e@rtl.test',
  '%s $1 \\1 {} [] ^.*$ \n\r\t',
  '00000000-0000-4000-8000-000000000001',
  'x'.repeat(10_000),
];

test.each([
  'short',
  KEY,
  'k'.repeat(63),
  'k'.repeat(64),
  'k'.repeat(65),
  'ключ'.repeat(20),
  `'"\\ ${'\u{1f511}'.repeat(40)}`,
])('the keyed hash is HMAC-SHA256, for hostile texts and keys of any length (%#)', async (key) => {
  const one = await installed();
  const expected = HOSTILE.map((text) => createHmac('sha256', key).update(text).digest('hex'));
  expect(await hashes(one, HOSTILE, key)).toEqual(expected);
});

test('the key lasts for its transaction alone; without one nothing is hashed, and another one is refused', async () => {
  const one = await installed();
  await hashes(one, ['a'], KEY);
  await expect(hashes(one, ['a'], null)).rejects.toMatchObject({ code: 'RC061' });
  await one.db.app.query(`begin; select rollcall.with_key(null, '${KEY}'), rollcall.settle_key(); commit`);
  expect(await hashes(one, ['a'], KEY)).toEqual([createHmac('sha256', KEY).update('a').digest('hex')]);
  await expect(hashes(one, ['a'], `${KEY}!`)).rejects.toMatchObject({ code: 'RC062' });
  // What a session puts in the place of what is kept for a transaction is checked as well.
  await one.db.app.query(`set rollcall.erasure_pads = '${'ab'.repeat(128)}'`);
  await expect(hashes(one, ['a'], null)).rejects.toMatchObject({ code: 'RC061' });
  expect(await hashes(one, ['a'], KEY)).toEqual([createHmac('sha256', KEY).update('a').digest('hex')]);
});

test('the key in Vault goes before the one that is given', async () => {
  const one = await installed();
  await createVault(one.db);
  await putSecret(one.db, 'rollcall_erasure_key', KEY);
  expect(await hashes(one, ['a'], null)).toEqual([createHmac('sha256', KEY).update('a').digest('hex')]);
  expect(await hashes(one, ['a'], 'another')).toEqual([createHmac('sha256', KEY).update('a').digest('hex')]);
});

test('a role that may not read Vault uses the key that is given', async () => {
  const one = await installed();
  await createVault(one.db, false);
  await putSecret(one.db, 'rollcall_erasure_key', 'that of Vault');
  const [row] = await one.db.sql.query<{ hash: string }>(
    `select encode((rollcall.keyed_hashes(array[rollcall.with_key('a', $1)]))[1], 'hex') as hash`,
    [KEY],
  );
  expect(row?.hash).toBe(createHmac('sha256', KEY).update('a').digest('hex'));
});
