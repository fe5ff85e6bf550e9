import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { databaseError } from '../../../src/cli/database-error.ts';
import { applyInstall, uninstall } from '../../../src/sql/apply.ts';
import { mapFunctionName } from '../../../src/sql/generated.ts';
import { testConfig } from '../../support/config.ts';
import { createDatabase } from '../../support/database.ts';
import { around, installed, REF } from './support.ts';

test('half an install is told by name, in the worker and by apply, and an uninstall clears it away', async () => {
  const one = await installed();
  const { rows } = await one.db.app.query(
    `select c.relname, c.relkind::text from pg_class c where c.relnamespace = 'rollcall'::regnamespace
        and (c.relkind = 'r' or c.relkind = 'S' and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i'))
      order by 1`,
  );
  expect(rows.length).toBeGreaterThan(14);
  for (const { relname, relkind } of rows) {
    const kind = relkind === 'r' ? 'table' : 'sequence';
    await one.db.app.query(`alter ${kind} rollcall.${relname} rename to away`);
    const error = await applyInstall(one.db.sql, one.config, REF).catch((cause: unknown) => cause);
    await one.db.app.query(`alter ${kind} rollcall.away rename to ${relname}`);
    expect({ relname, error }).toMatchObject({
      error: { code: 'RC_NOT_INSTALLED', message: expect.stringContaining(`rollcall.${relname} is missing`) },
    });
  }

  await one.db.app.query('drop table rollcall.due');
  await one.insert('a@x.y');
  for (const attempt of [
    () => one.store.fold(10),
    () => one.claim(),
    () => applyInstall(one.db.sql, one.config, REF),
  ]) {
    const error = await attempt().then(() => undefined, databaseError);
    expect(error).toMatchObject({ code: 'RC_NOT_INSTALLED', message: expect.stringContaining('only in part') });
  }
  await uninstall(one.db.sql);
  await applyInstall(one.db.sql, one.config, REF);
  const again = await around(one.db, one.config);
  await again.sweepNow();
  expect(await again.claim()).toHaveLength(1);
});

/** Roles of whoever comes through the API. */
const API = ['anon', 'authenticated', 'service_role'];

test('where nothing is granted by itself, as in projects since 30 Oct 2026, the role that applies has all it needs', async () => {
  const db = await createDatabase();
  for (const what of ['tables', 'sequences', 'functions', 'types', 'schemas'])
    await db.app.query(`alter default privileges for role hosted revoke all on ${what} from public`);
  await applyInstall(db.sql, testConfig(), REF);
  const one = await around(db, testConfig());
  const id = await one.insert('a@x.y');
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 1 });
  expect(await one.deliverAll()).toHaveLength(1);
  expect(await one.desired(id)).toMatchObject({ action: 'upsert', due: false });
  expect(await one.sweepNow()).toMatchObject({ scanned: 1 });
  expect((await db.sql.query('select rollcall.status() as status')).length).toBe(1);
});

test('default privileges of the role that installs give the API roles nothing', async () => {
  const db = await createDatabase();
  for (const role of API)
    await db.app.query(`do $$ begin create role ${role}; exception when duplicate_object then null; end $$`);
  for (const [what, right] of [
    ['tables', 'all'],
    ['sequences', 'all'],
    ['functions', 'all'],
    ['types', 'usage'],
    ['schemas', 'usage'],
  ]) {
    await db.app.query(
      `alter default privileges for role hosted grant ${right} on ${what} to ${API.join(', ')}, public`,
    );
  }
  await applyInstall(db.sql, testConfig(), REF);
  const { rows } = await db.app.query(`
    select x.what, a.grantee::regrole::text as grantee from (
      select 'schema' as what, nspacl as acl, nspowner as owner from pg_namespace where nspname = 'rollcall'
      union all select relname, relacl, relowner from pg_class where relnamespace = 'rollcall'::regnamespace
      union all select proname, proacl, proowner from pg_proc where pronamespace = 'rollcall'::regnamespace) x,
      lateral aclexplode(x.acl) a where a.grantee <> x.owner`);
  expect(rows).toEqual([]);
});

test('a right that somebody gave on purpose survives an apply', async () => {
  const one = await installed();
  const role = `reader_${randomUUID().slice(0, 8)}`;
  await one.db.app.query(`create role ${role}; grant usage on schema rollcall to ${role};
    grant select on rollcall.attempts to ${role}`);
  await applyInstall(one.db.sql, one.config, REF);
  const { rows } = await one.db.app.query(
    `select has_schema_privilege('${role}', 'rollcall', 'usage') and has_table_privilege('${role}', 'rollcall.attempts', 'select') as kept`,
  );
  expect(rows).toEqual([{ kept: true }]);
  await one.db.app.query(`drop owned by ${role}; drop role ${role}`);
});

test('destinations with long names that begin alike have functions of their own', async () => {
  const names = ['a', 'b'].map((end) => `${'long'.repeat(15)}${end}`);
  const functions = names.map(mapFunctionName);
  expect(new Set(functions).size).toBe(2);
  expect(Math.max(...functions.map((name) => name.length))).toBeLessThanOrEqual(63);
  const one = await installed({
    destinations: names.map((name) => ({
      name,
      type: 'mailtrap',
      options: {},
      account: 'sandbox',
      events: 'unkeyed' as const,
      onDelete: 'delete' as const,
      createMissing: { fields: true, lists: false },
      line: 1,
      column: 1,
    })),
  });
  await one.insert('a@x.y');
  expect(await one.foldAll()).toMatchObject({ taken: 1, changed: 2 });
});
