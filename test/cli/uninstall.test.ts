import { expect, test } from 'vitest';
import { createCron } from '../support/platform/cron.ts';
import { createNet } from '../support/platform/net.ts';
import { sendryRecipe } from '../support/recipes/sendry.ts';
import { createVault, putSecret } from '../support/vault.ts';
import { createWorld } from '../support/world.ts';
import { rollcall, tempFile } from './run-cli.ts';

test('where DROP TRIGGER is refused: triggers, jobs and the schema go; secrets stay and are named; a recipe that is off is told first', async () => {
  const { db, yaml } = await createWorld();
  await createCron(db);
  await createVault(db);
  await createNet(db);
  await putSecret(db, 'rollcall_erasure_key', 'a-key');
  await putSecret(db, 'sendry_api_key', 'theirs');
  await db.app.query(sendryRecipe('https://api.sendry.online'));
  await db.app.query(`insert into rollcall.taken_over (recipe, relation, trigger_name, definition, urls)
    values ('sendry', 'auth.users', 'on_auth_user_created_sync_sendry', '', '{}')`);
  const hosted = await db.connect(db.hostedUrl);
  await hosted.query(
    `select cron.schedule('rollcall-pump', '* * * * *', 'select 1'), cron.schedule('rollcall-tick', '10 seconds', 'select 1'),
            cron.schedule('nightly', '0 0 * * *', 'select 1')`,
  );
  await expect(hosted.query('drop trigger rollcall_insert on auth.users')).rejects.toMatchObject({ code: '42501' });

  const config = await tempFile('rollcall.yaml', yaml);
  const no = await rollcall(['uninstall', '--config', config], { answers: [false], columns: 200 });
  expect(no.code).toBe(1);
  const ran = await rollcall(['uninstall', '--yes', '--config', config], { columns: 200 });
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toContain('- 2 jobs of pg_cron: rollcall-pump, rollcall-tick');
  expect(ran.stdout).toContain('stay switched off: auth.users.on_auth_user_created_sync_sendry.');
  expect(ran.stdout).toContain(
    "Only secrets in Vault are left: rollcall_erasure_key. When they are not wanted again: delete from vault.secrets where name in ('rollcall_erasure_key');",
  );
  const { rows } = await db.app.query(`
    select 'job ' || jobname as what from cron.job union all select 'secret ' || name from vault.secrets
    union all select 'trigger ' || tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal
    union all select 'schema' from pg_namespace where nspname = 'rollcall'
    union all select 'type' from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname = 'rollcall'
    union all select 'default' from pg_default_acl order by 1`);
  expect(rows.map(({ what }) => String(what))).toEqual([
    'job nightly',
    'secret rollcall_erasure_key',
    'secret sendry_api_key',
    'trigger on_auth_user_created_sync_sendry',
  ]);
});
