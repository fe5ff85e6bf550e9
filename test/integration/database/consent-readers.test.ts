import { expect, test } from 'vitest';
import { quoteIdent } from '../../../src/sql/quote.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { testConfig } from '../../support/config.ts';
import { onCleanup } from '../../support/database.ts';
import { installed, REF } from './support.ts';

let made = 0;

async function role(one: Awaited<ReturnType<typeof installed>>, name: string): Promise<string> {
  made += 1;
  const whole = `${name}_${process.pid}_${made}`;
  await one.db.app.query(`create role ${quoteIdent(whole)}`);
  onCleanup(async () => {
    await one.db.app.query(`drop owned by ${quoteIdent(whole)}; drop role ${quoteIdent(whole)}`);
  });
  return whole;
}

test('readers ask by function, in a policy and by the view, and see nothing else', async () => {
  const one = await installed();
  const reader = await role(one, 'a "reader"');
  await applyInstall(one.db.sql, testConfig({ hash: 'b'.repeat(64), consentReaders: [reader] }), REF);
  const ann = await one.insert('ann@x.yz');
  const bob = await one.insert('bob@x.yz');
  await one.db.sql.query(`select rollcall.fold($1, 100)`, ['b'.repeat(64)]);
  await one.db.sql.query(`select rollcall.receive_facts('mailtrap', $1)`, [
    JSON.stringify([{ id: '1', kind: 'opt_out', address: 'ann@x.yz', topic: 'news' }]),
  ]);
  await one.db.app.query(`create table public.recipients (user_id uuid);
    insert into public.recipients select id from auth.users;
    alter table public.recipients enable row level security;
    create policy mailable on public.recipients for select using (rollcall.can_email(user_id, 'news'));
    grant usage on schema public to ${quoteIdent(reader)};
    grant select on public.recipients to ${quoteIdent(reader)}`);
  await one.db.app.query(`set role ${quoteIdent(reader)}`);
  try {
    const ask = async (sql: string) => (await one.db.app.query(sql)).rows;
    expect(await ask('select user_id from public.recipients')).toEqual([{ user_id: bob }]);
    expect(await ask(`select rollcall.can_email('ann@x.yz') as general`)).toEqual([{ general: true }]);
    expect(await ask(`select person, address, topic, said, bounces, can_email from rollcall.consent_now`)).toEqual([
      { person: ann, address: 'ann@x.yz', topic: 'news', said: 'opted_out', bounces: false, can_email: false },
    ]);
    await expect(ask('select from rollcall.consent')).rejects.toMatchObject({ code: '42501' });
    await expect(ask('select rollcall.export_person(null)')).rejects.toMatchObject({ code: '42501' });
    // Whom the config no longer names asks no more.
    await applyInstall(one.db.sql, testConfig({ hash: 'c'.repeat(64) }), REF);
    await expect(ask(`select rollcall.can_email('ann@x.yz')`)).rejects.toMatchObject({ code: '42501' });
  } finally {
    await one.db.app.query('reset role');
  }
});

test('a role that is not there is named', async () => {
  const one = await installed();
  await expect(
    applyInstall(one.db.sql, testConfig({ hash: 'b'.repeat(64), consentReaders: ['nobody_at_all'] }), REF),
  ).rejects.toMatchObject({ message: expect.stringContaining('nobody_at_all') });
});
