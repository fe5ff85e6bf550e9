import { expect, test } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { createPlatform, deploySql, netWorker, runPump } from './support.ts';

const DEST = {
  mailtrap: (url: string) => `api_token: "\${vault:KEY}"\n  base_url: ${url}\n  limits_scale: 10000`,
  sendry: (url: string) => `api_key: "\${vault:KEY}"\n  base_url: ${url}\n  limits_scale: 10000`,
  brevo: (url: string) => `api_key: "\${vault:KEY}"\n  base_url: ${url}\n  limits_scale: 10000`,
  webhook: (url: string) => `secret: "\${vault:KEY}"\n  url: ${url}\n  limits_scale: 100`,
};

for (const id of ['mailtrap', 'sendry', 'brevo', 'webhook'] as const)
  test('smoke ' + id, async () => {
    const db = await createDatabase();
    const sandbox = await startSandbox({ only: [id], limitsScale: 10_000 });
    const of = sandbox.of(id);
    const { secretOfToken } = await import('../../../src/destinations/webhook/secret.ts');
    await createPlatform(db, { KEY: id === 'webhook' ? secretOfToken(of.token) : of.token });
    for (const [name, type] of Object.entries({ FIRSTNAME: 'text', N: 'text' } as const))
      (of.standIn as any).addField?.(name, type);
    const world = await createWorld({
      db,
      instead: `${id}:
  ${DEST[id](of.url)}`,
    });
    await deploySql(db, world.config);
    netWorker(db);
    await runPump(db);
    const dump = async () =>
      console.log(
        (await db.app.query('select * from rollcall.pump_troubles')).rows,
        JSON.stringify((await db.app.query('select * from rollcall.posts')).rows),
        (await db.app.query('select rollcall.pump_may()')).rows,
        (await db.app.query('select * from rollcall.attempts')).rows,
        (await db.app.query('select * from rollcall.dead_letters')).rows,
        (await db.app.query('select * from rollcall.desired')).rows,
        sandbox.calls(),
      );
    const one = await world.signUp('ann@example.com', { full_name: 'Ann' });
    try {
      await world.settled(15000);
      expect((of.standIn as any).contact('ann@example.com')?.attributes).toMatchObject({ FIRSTNAME: 'Ann' });
      await db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Anna"}' where id = $1`, [one]);
      await world.settled();
      expect((of.standIn as any).contact('ann@example.com')?.attributes).toMatchObject({ FIRSTNAME: 'Anna' });
      await db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [one]);
      await world.settled();
      expect((of.standIn as any).contact('ann@example.com')).toBeUndefined();
      expect((of.standIn as any).contact('anna@example.com')?.attributes).toMatchObject({ FIRSTNAME: 'Anna' });
      await db.app.query('delete from auth.users where id = $1', [one]);
      await world.settled();
      expect((of.standIn as any).contact('anna@example.com')).toBeUndefined();
      console.log(sandbox.calls().map((c) => c.method + ' ' + c.path + ' ' + c.body));
    } catch (e) {
      await dump();
      throw e;
    }
    await sandbox.close();
  });
