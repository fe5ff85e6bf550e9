import { describe, expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { foresee } from '../../../src/sql/foresee.ts';
import { inspectSources } from '../../../src/sql/inspect/sources.ts';
import { attribute, testConfig } from '../../support/config.ts';
import { createDatabase } from '../../support/database.ts';
import { adjustment, ATTRIBUTES, destination, peopleConfig, views } from './adjustments-support.ts';
import { around, installed, REF } from './support.ts';

const FREE = { full_name: 'Ann', plan: 'free', score: 7, tags: ['a'] };
const PRO = { full_name: 'Bob', plan: 'pro', score: 9 };

describe('two destinations see the same people differently', () => {
  const all = destination('all');
  const some = destination('some', {
    adjustment: adjustment({
      drop: ['SINCE'],
      rename: { FULL_NAME: 'FIRSTNAME', PLAN: 'FULL_NAME' },
      retype: { SCORE: 'text', TAGS: 'text' },
      where: `PLAN = 'pro' or score < 8`,
    }),
  });

  test('names, types and people', async () => {
    const one = await installed(peopleConfig([all, some]));
    const ann = await one.insert('ann@x.test', FREE);
    const bob = await one.insert('bob@x.test', PRO);
    const eve = await one.insert('eve@x.test', { ...FREE, score: 8 });
    await one.foldAll();
    const [there, here] = [await views(one, 'all'), await views(one, 'some')];
    expect(there.get(ann)?.payload).toEqual({
      FULL_NAME: 'Ann',
      PLAN: 'free',
      SCORE: 7,
      SINCE: expect.any(String) as unknown,
      TAGS: ['a'],
    });
    expect(here.get(ann)?.payload).toEqual({ FIRSTNAME: 'Ann', FULL_NAME: 'free', SCORE: '7', TAGS: '["a"]' });
    // A null that clears is one under any name and type.
    expect(here.get(bob)?.payload).toEqual({ FIRSTNAME: 'Bob', FULL_NAME: 'pro', SCORE: '9', TAGS: null });
    expect(there.get(eve)).toMatchObject({ action: 'upsert' });
    expect(here.get(eve)).toMatchObject({ action: 'none', reason: 'filtered', payload: {} });
    const { rows } = await one.db.app.query(
      `select d.name, d.plan, bool_and(s.hash = rollcall.fingerprint_of(s.address, s.consent, s.payload)) as hashed
         from rollcall.destinations d join rollcall.desired s on s.destination_id = d.id and s.action = 'upsert'
        group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([
      {
        name: 'all',
        hashed: true,
        plan: { FULL_NAME: 'text', PLAN: 'text', SCORE: 'integer', SINCE: 'timestamp', TAGS: 'json' },
      },
      { name: 'some', hashed: true, plan: { FIRSTNAME: 'text', FULL_NAME: 'text', SCORE: 'text', TAGS: 'text' } },
    ]);
  });

  test('what does not go there is no change there', async () => {
    const one = await installed(peopleConfig([all, some]));
    const bob = await one.insert('bob@x.test', PRO);
    await one.foldAll();
    await one.db.app.query(`update auth.users set created_at = '2020-01-01' where id = $1`, [bob]);
    await one.foldAll();
    expect((await views(one, 'all')).get(bob)?.version).toBe(2);
    expect((await views(one, 'some')).get(bob)?.version).toBe(1);
  });

  test('a sweep finds everybody as they shall be, and whoever is not', async () => {
    const one = await installed(peopleConfig([all, some]));
    const ann = await one.insert('ann@x.test', FREE);
    await one.insert('bob@x.test', PRO);
    await one.insert('eve@x.test', { ...FREE, score: 8 });
    await one.foldAll();
    const differing = async (): Promise<unknown> =>
      (
        await one.db.app.query(
          `select d.name, rollcall.differing(d.id, d.fingerprint_function, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff') as keys
             from rollcall.destinations d order by 1`,
        )
      ).rows;
    expect(await differing()).toEqual([
      { name: 'all', keys: [] },
      { name: 'some', keys: [] },
    ]);
    await one.db.app.query(`set session_replication_role = replica`);
    await one.db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"score": 10}' where id = $1`,
      [ann],
    );
    await one.db.app.query(`reset session_replication_role`);
    expect(await differing()).toEqual([
      { name: 'all', keys: [ann] },
      { name: 'some', keys: [ann] },
    ]);
    await one.sweepNow();
    expect((await views(one, 'some')).get(ann)).toMatchObject({ action: 'none', reason: 'filtered' });
  });
});

describe('who is a contact there', () => {
  const pro = (onDelete: 'delete' | 'unsubscribe' | 'keep') =>
    destination('pro', { onDelete, adjustment: adjustment({ where: `plan = 'pro' and email like '%@x.test'` }) });
  const set = (plan: string): string =>
    `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"plan": "${plan}"}' where id = $1`;

  test.each([
    ['delete', 'delete'],
    ['unsubscribe', 'unsubscribe'],
    ['keep', 'none'],
  ] as const)('leaves as on_delete says, and comes back: %s', async (policy, action) => {
    const one = await installed(peopleConfig([pro(policy)]));
    const bob = await one.insert('bob@x.test', PRO);
    await one.foldAll();
    await one.deliverAll();
    await one.db.app.query(set('free'), [bob]);
    await one.foldAll();
    expect((await views(one, 'pro')).get(bob)).toMatchObject({ action, reason: 'filtered', payload: {} });
    await one.deliverAll();
    await one.db.app.query(set('pro'), [bob]);
    await one.foldAll();
    expect((await views(one, 'pro')).get(bob)).toMatchObject({ action: 'upsert', payload: { PLAN: 'pro' } });
  });

  test('an opt-out is kept while nobody is a contact', async () => {
    const consent = { kind: 'column', path: ['user_metadata', 'ok'], line: 1, column: 1 } as const;
    const one = await installed(peopleConfig([pro('unsubscribe')], { consent }));
    const bob = await one.insert('bob@x.test', { ...PRO, ok: 'no' });
    await one.foldAll();
    await one.deliverAll();
    await one.db.app.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"plan": "free", "ok": null}' where id = $1`,
      [bob],
    );
    await one.foldAll();
    await one.deliverAll();
    await one.db.app.query(set('pro'), [bob]);
    await one.foldAll();
    expect((await views(one, 'pro')).get(bob)).toMatchObject({ action: 'upsert', consent: 'opted_out' });
  });

  test('too many that leave stop at the brake', async () => {
    const one = await installed(peopleConfig([pro('delete')]));
    const { rows } = await one.db.app.query<{ id: string }>(
      `insert into auth.users (id, email, raw_user_meta_data)
         select gen_random_uuid(), 'p' || n || '@x.test', '{"plan": "pro"}' from generate_series(1, 40) n returning id`,
    );
    await one.foldAll();
    await one.deliverAll();
    await one.db.app.query(`update auth.users set raw_user_meta_data = '{"plan": "free"}' where id = any($1)`, [
      rows.slice(0, 20).map((row) => row.id),
    ]);
    await one.foldAll();
    const left = [...(await views(one, 'pro')).values()].filter((view) => view.action === 'delete');
    expect(left).toHaveLength(20);
    expect(left.every((view) => view.held)).toBe(true);
  });

  test('where reads what does not go there', async () => {
    const one = await installed(
      peopleConfig([destination('a', { adjustment: adjustment({ only: [], where: `"PLAN" = 'pro'` }) })]),
    );
    const bob = await one.insert('bob@x.test', PRO);
    const ann = await one.insert('ann@x.test', FREE);
    await one.foldAll();
    const there = await views(one, 'a');
    expect(there.get(bob)).toMatchObject({ action: 'upsert', payload: {} });
    expect(there.get(ann)).toMatchObject({ action: 'none', reason: 'filtered' });
  });

  test('one that reads the clock is looked at again in turn', async () => {
    const config = testConfig(
      peopleConfig([destination('a', { adjustment: adjustment({ where: `since < now() - interval '1 hour'` }) })]),
    );
    const one = await installed(config);
    const { rows } = await one.db.app.query(`select extract(epoch from reevaluate)::int as s from rollcall.install`);
    expect(rows).toEqual([{ s: 3_600 }]);
    const bob = await one.insert('bob@x.test', PRO);
    await one.foldAll();
    expect((await views(one, 'a')).get(bob)?.action).toBe('none');
    await one.db.app.query('set session_replication_role = replica');
    await one.db.app.query(`update auth.users set created_at = created_at - interval '2 hours'`);
    await one.db.app.query('reset session_replication_role');
    await one.sweepNow();
    expect((await views(one, 'a')).get(bob)?.action).toBe('upsert');
  });
});

describe('what cannot be told for one contact', () => {
  const strict = destination('strict', {
    adjustment: adjustment({ where: 'plan::int > 1', retype: { FULL_NAME: 'integer' } }),
  });

  test('holds up neither another contact nor another destination', async () => {
    const one = await installed(peopleConfig([destination('all'), strict]));
    const good = await one.insert('good@x.test', { plan: '2', full_name: '12' });
    const cast = await one.insert('cast@x.test', { plan: 'pro', full_name: '12' });
    const type = await one.insert('type@x.test', { plan: '2', full_name: 'Bob' });
    // Of whoever is no contact there nothing has to fit.
    const out = await one.insert('out@x.test', { plan: '1', full_name: 'Bob' });
    for (let n = 0; n < 100; n += 1) await one.insert(`n${n}@x.test`, { plan: '3' });
    expect(await one.foldAll()).toMatchObject({ failed: 2 });
    const there = await views(one, 'strict');
    expect([...there.values()].filter((view) => view.action === 'upsert')).toHaveLength(101);
    expect(there.get(good)?.payload).toMatchObject({ FULL_NAME: 12 });
    expect(there.get(cast)).toMatchObject({ action: 'none', reason: 'unmapped' });
    expect(there.get(type)).toMatchObject({ action: 'none', reason: 'unmapped' });
    expect(there.get(out)).toMatchObject({ action: 'none', reason: 'filtered' });
    expect([...(await views(one, 'all')).values()].every((view) => view.action === 'upsert')).toBe(true);
    const { rows } = await one.db.app.query(
      `select c.key, d.name, l.stage, l.code from rollcall.dead_letters l join rollcall.contacts c on c.id = l.contact_id
         join rollcall.destinations d on d.id = l.destination_id order by c.key`,
    );
    const letter = { name: 'strict', stage: 'map', code: '22P02' };
    expect(rows).toEqual([cast, type].toSorted().map((key) => ({ key, ...letter })));
    // Mended, they are contacts as any other.
    await one.db.app.query(
      `update auth.users set raw_user_meta_data = '{"plan": "5", "full_name": "1"}' where id = any($1)`,
      [[cast, type]],
    );
    await one.foldAll();
    expect((await views(one, 'strict')).get(cast)).toMatchObject({ action: 'upsert', payload: { FULL_NAME: 1 } });
    expect((await one.db.app.query('select from rollcall.dead_letters')).rowCount).toBe(0);
    expect(await one.sweepNow()).toMatchObject({ folded: 0 });
  });

  test('a function that is gone fails everybody there, and nobody elsewhere', async () => {
    const config = peopleConfig(
      [destination('all'), destination('tier', { adjustment: adjustment({ where: `public.tier_of(plan) > 1` }) })],
      { allowFunctions: ['public.tier_of'] },
    );
    const db = await createDatabase();
    await db.app.query(
      `create function public.tier_of(text) returns int language sql immutable as 'select length($1)'`,
    );
    const one = await installed(config, db);
    await db.app.query('drop function public.tier_of');
    for (let n = 0; n < 50; n += 1) await one.insert(`n${n}@x.test`, PRO);
    expect(await one.foldAll()).toMatchObject({ failed: 50 });
    expect([...(await views(one, 'all')).values()].every((view) => view.action === 'upsert')).toBe(true);
    expect([...(await views(one, 'tier')).values()].every((view) => view.reason === 'unmapped')).toBe(true);
  });
});

describe('another adjustment', () => {
  const before = testConfig(peopleConfig([destination('b'), destination('a')]));
  const after = testConfig(
    peopleConfig(
      [destination('b', { adjustment: adjustment({ only: ['PLAN'], where: `plan is not null` }) }), destination('a')],
      { hash: 'b'.repeat(64) },
    ),
  );

  test('is foreseen, and sends again where it changes something', async () => {
    const one = await installed(before);
    const bob = await one.insert('bob@x.test', PRO);
    const nobody = await one.insert('nobody@x.test', {});
    await one.foldAll();
    await one.deliverAll();
    const sources = await one.db.sql.transaction((tx) => inspectSources(tx, after));
    expect(await foresee(one.db.sql, after, sources, ['a', 'b'], 10_000)).toEqual([
      { destination: 'b', leaving: 1, changing: 1, complete: true },
      { destination: 'a', leaving: 0, changing: 0, complete: true },
    ]);
    await applyInstall(one.db.sql, after, REF);
    const two = await around(one.db, after);
    await two.sweepNow();
    expect((await views(two, 'a')).get(bob)?.version).toBe(1);
    expect((await views(two, 'b')).get(bob)).toMatchObject({ version: 2, payload: { PLAN: 'pro' } });
    expect((await views(two, 'b')).get(nobody)).toMatchObject({ action: 'delete', reason: 'filtered' });
    // And back again.
    await applyInstall(one.db.sql, before, REF);
    await (await around(one.db, before)).sweepNow();
    expect((await views(one, 'b')).get(nobody)?.action).toBe('upsert');
    expect((await one.db.app.query(`select from pg_proc where proname = 'adjust_1'`)).rowCount).toBe(0);
  });

  test('an attribute of the clock is no change under any name', async () => {
    const { userMapping } = testConfig();
    const age = attribute('AGE', { kind: 'sql', expression: 'now()::text' });
    const config = testConfig({
      userMapping: { ...userMapping, attributes: [...ATTRIBUTES, age] },
      destinations: [destination('a', { adjustment: adjustment({ rename: { AGE: 'NOW' } }) })],
    });
    const one = await installed(config);
    const { rows } = await one.db.app.query('select clock_attributes from rollcall.destinations');
    expect(rows).toEqual([{ clock_attributes: ['NOW'] }]);
  });
});

describe('mistakes that only the database knows', () => {
  const refused = async (
    one: Parameters<typeof adjustment>[0],
    more: Partial<ReturnType<typeof testConfig>> = {},
  ): Promise<unknown> =>
    installed(peopleConfig([destination('a', { adjustment: adjustment(one) })], more)).catch((error: unknown) => error);

  test.each([
    ['a name that is none', { where: `plam = 'x'` }, /plam/, /FULL_NAME, PLAN/],
    ['no truth', { where: 'score + 1' }, /must be true or false, and this is integer/, undefined],
    ['no condition', { where: 'plan = ' }, /does not work/, undefined],
    ['another table', { where: 'exists (select from auth.users)' }, /./, undefined],
    ['chance', { where: 'random() < 0.5' }, /random/, undefined],
    ['many rows', { where: 'count(*) > 1' }, /one value for each row/, undefined],
  ])('%s', async (_, one, message, hint) => {
    expect(await refused(one)).toMatchObject({
      code: 'RC_SQL_EXPRESSION',
      message: expect.stringMatching(message) as unknown,
      place: { path: 'destinations.a.where' },
      ...(hint && { hint: expect.stringMatching(hint) as unknown }),
    });
  });

  test('a type that no value can have', async () => {
    expect(await refused({ retype: { SCORE: 'date' } })).toMatchObject({
      code: 'RC_ATTRIBUTE_RETYPE',
      message: 'The attribute SCORE is integer, and no integer can be date.',
      place: { path: 'retype.SCORE' },
    });
  });
});
