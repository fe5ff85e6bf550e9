import { expect, test } from 'vitest';
import { installed } from './support.ts';

const COLUMN = { kind: 'column', path: ['user_metadata', 'yes'], line: 1, column: 1 } as const;

test('a yes that a sweep comes to before the fold counts from when the log has it', async () => {
  const one = await installed({ consent: COLUMN });
  const says = (yes: boolean, id: string) =>
    one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, { yes }]);
  const id = await one.insert('ann@x.yz', { yes: true });
  await one.foldAll();
  await says(false, id);
  await one.foldAll();
  await one.db.app.query(`update rollcall.install set swept_at = now() - interval '2 hours'`);
  await one.db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [
    JSON.stringify([{ id: '1', kind: 'opt_out', address: 'ann@x.yz', at: Date.now() * 1_000 }]),
  ]);
  await one.foldAll();
  await says(true, id);
  await one.sweepNow();
  const { rows } = await one.db.app.query(
    `select kind, at >= (select max(at) from rollcall.consent where kind = 'opt_out') as later from rollcall.consent where kind = 'opt_in'`,
  );
  expect(rows).toEqual([{ kind: 'opt_in', later: true }]);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ consent: 'opted_in' });
});

test('whoever was never heard is heard by a sweep, and their next yes is one', async () => {
  const one = await installed({ consent: COLUMN });
  const id = await one.insert('ann@x.yz', { yes: false });
  await one.foldAll();
  await one.deliverAll();
  // As after another column was named in which they say the same.
  await one.db.app.query('truncate rollcall.answers');
  await one.sweepNow();
  expect((await one.db.app.query('select answer from rollcall.answers')).rows).toEqual([{ answer: 'opted_out' }]);
  await one.db.app.query('update auth.users set raw_user_meta_data = $2 where id = $1', [id, { yes: true }]);
  await one.foldAll();
  expect(await one.desired(id)).toMatchObject({ consent: 'opted_in' });
});
