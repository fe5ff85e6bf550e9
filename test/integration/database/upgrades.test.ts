import { beforeAll, expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { MIGRATIONS } from '../../../src/sql/install-script.ts';
import { createDatabase, createLastingDatabase, type TestDatabase } from '../../support/database.ts';
import { earlierConfig, earlierInstalls } from '../../support/earlier-installs.ts';
import { around, REF } from './support.ts';

const config = earlierConfig();
const recorded = earlierInstalls();

/** All that an install is made of: whatever is left of an earlier version, or lacks of this one, differs. */
async function schema(db: TestDatabase): Promise<readonly string[]> {
  const { rows } = await db.app.query<{ what: string }>(`
    with ours as (select oid from pg_namespace where nspname = 'rollcall')
    select concat_ws(' ', 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
             pg_get_expr(d.adbin, d.adrelid)) as what
      from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace in (select oid from ours) and c.relkind in ('r', 'v', 'c') and a.attnum > 0 and not a.attisdropped
    union all select concat_ws(' ', 'table', c.relname, c.relkind, c.relpersistence, c.reloptions, c.relacl) from pg_class c
     where c.relnamespace in (select oid from ours) and c.relkind <> 'i'
    union all select 'index ' || pg_get_indexdef(i.indexrelid) from pg_index i join pg_class c on c.oid = i.indrelid
     where c.relnamespace in (select oid from ours)
    union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
     where connamespace in (select oid from ours)
    union all select concat_ws(' ', 'sequence', s.seqrelid::regclass, s.seqstart, s.seqmin, s.seqmax, s.seqcycle, s.seqcache) from pg_sequence s
      join pg_class c on c.oid = s.seqrelid where c.relnamespace in (select oid from ours)
    union all select concat_ws(' ', 'function', p.oid::regprocedure, 'returns', pg_get_function_result(p.oid), p.prosecdef, p.proconfig,
      md5(p.prosrc), p.proacl) from pg_proc p where p.pronamespace in (select oid from ours)
    union all select 'trigger ' || pg_get_triggerdef(t.oid) from pg_trigger t join pg_proc p on p.oid = t.tgfoid
     where p.pronamespace in (select oid from ours) and not t.tgisinternal
    order by 1`);
  return rows.map(({ what }) => what);
}

let fresh: readonly string[] = [];
beforeAll(async () => {
  const [db, end] = await createLastingDatabase();
  await applyInstall(db.sql, config, REF);
  fresh = await schema(db);
  await end();
});

/** The tables as they were, without the functions around them: for versions whose whole script nobody has kept. */
function tablesOf(version: number): string {
  return [
    'create schema rollcall; create table rollcall.migrations (version int primary key, name text not null, applied_at timestamptz not null default now());',
    ...MIGRATIONS.filter((migration) => migration.version <= version).map(
      (migration) =>
        `${migration.sql}; insert into rollcall.migrations (version, name) values (${migration.version}, '${migration.name}');`,
    ),
  ].join('\n');
}

const earlier = MIGRATIONS.map(({ version }) => version).filter((version) => version < MIGRATIONS.at(-1)!.version);

test('what earlier versions printed is kept', () => {
  expect(Object.keys(recorded).length).toBeGreaterThanOrEqual(7);
  expect(
    Object.keys(recorded)
      .map(Number)
      .filter((version) => MIGRATIONS.every((known) => known.version !== version)),
  ).toEqual([]);
});

test.each(earlier)(
  'from version %i: an apply makes of it what a first one makes, and the next one nothing else',
  async (version) => {
    const db = await createDatabase();
    const whole = recorded[version];
    const hosted = await db.connect(db.hostedUrl);
    await hosted.query(`begin; ${whole ?? tablesOf(version)}; commit`);
    if (whole === undefined) {
      await applyInstall(db.sql, config, REF);
      expect(await schema(db)).toEqual(fresh);
      return;
    }
    await hosted.query('select rollcall.bind($1, $2)', [REF, 'test']);
    const ann = '00000000-0000-4000-8000-00000000000a';
    await db.app.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at) values ('${ann}', 'ann@example.com', '{"full_name": "Ann"}', now())`,
    );
    await delivered(db, ann);
    await applyInstall(db.sql, config, REF);
    expect(await schema(db)).toEqual(fresh);
    await applyInstall(db.sql, config, REF);
    expect(await schema(db)).toEqual(fresh);

    // What it knew is still known, what was in the log is folded, and new people come in.
    const one = await around(db, config);
    await db.app.query(
      `insert into auth.users (id, email, created_at) values (gen_random_uuid(), 'bob@example.com', now())`,
    );
    await one.foldAll();
    await one.sweepNow();
    await one.deliverAll();
    const { rows } = await db.app.query(
      `select address, remote_id, consent, delivered_version = version as in_step from rollcall.desired order by address`,
    );
    const left = version < 13;
    expect(rows).toEqual([
      { address: 'ann@example.com', remote_id: 'remote-ann', consent: left ? 'opted_out' : 'basis', in_step: true },
      { address: 'bob@example.com', remote_id: null, consent: 'basis', in_step: true },
    ]);
    const facts = await db.app.query('select kind, address, origin from rollcall.consent');
    expect(facts.rows).toEqual(
      left ? [{ kind: 'opt_out', address: 'ann@example.com', origin: 'destination:mailtrap' }] : [],
    );
  },
);

/** Somebody whom that version has delivered; one who was found to have left, where it kept that beside the contact. */
async function delivered(db: TestDatabase, id: string): Promise<void> {
  await db.app.query(`insert into rollcall.contacts (key) values ($1)`, [id]);
  await db.app.query(
    `insert into rollcall.desired (destination_id, contact_id, action, address, payload, consent, hash, version, delivered_version, remote_address, remote_id)
     select d.id, c.id, 'upsert', 'ann@example.com', '{"FIRSTNAME": "Ann"}', 'basis',
            rollcall.fingerprint_of('ann@example.com', 'basis', '{"FIRSTNAME": "Ann"}'), 3, 3, 'ann@example.com', 'remote-ann'
       from rollcall.contacts c, rollcall.destinations d where c.key = $1`,
    [id],
  );
  const { rows } = await db.app.query(
    `select from pg_attribute where attrelid = 'rollcall.desired'::regclass and attname = 'left_there_at' and not attisdropped`,
  );
  if (rows.length > 0)
    await db.app.query(`update rollcall.desired set left_there_at = now() - interval '1 day', consent = 'opted_out'`);
}
