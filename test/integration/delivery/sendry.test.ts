import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import { onCleanup } from '../../support/database.ts';
import { createWorld, parseWorld } from '../../support/world.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../src/destinations/sendry/README.md'), 'utf8');
const RECIPE = /## Coming from the recipe[\s\S]*?```yaml\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? '';
const confirmed = { email_confirmed_at: '2026-01-01T00:00:00Z' };

/** A database whose people go to a stand-in of Sendry, by the config on the destination's page. */
async function project(options: string, settings: Record<string, unknown> = {}) {
  const world = await createWorld({ install: false });
  const sandbox = await startSandbox({ only: ['sendry'], limitsScale: 10_000, settings: { sendry: settings } });
  onCleanup(() => sandbox.close());
  const { url, token, standIn } = sandbox.of('sendry');
  const audience = standIn.addList('News');
  const yaml = RECIPE.replace('${SENDRY_API_KEY}', token)
    .replace('aud_abc123', audience)
    .replace('attributes_as', `base_url: "${url}"\n    limits_scale: 10000\n    ${options}\n    attributes_as`);
  const config = parseWorld(`database_url: ${JSON.stringify(world.db.hostedUrl)}\nenvironment: test\n${yaml}`);
  await applyInstall(world.db.sql, config, projectRef(world.db.hostedUrl, undefined));
  const calls = (of: RegExp): number =>
    sandbox.calls().filter(({ method, path }) => of.test(`${method} ${path}`)).length;
  return { world, config, sandbox, standIn, url, token, calls };
}

test('users of the recipe arrive as it sent them, and who left at Sendry stays so', async () => {
  const { world, config, sandbox, standIn, url, token } = await project('concurrency: 4');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  await fetch(`${url}/v1/contacts`, { method: 'POST', headers, body: JSON.stringify({ email: 'left@example.com' }) });
  standIn.optOut('left@example.com', 'unsubscribe');
  await world.start(config);
  const names = { first_name: 'Ada', last_name: 'Lovelace' };
  const id = await world.signUp('ada@example.com', names, confirmed);
  await world.signUp('left@example.com', { first_name: 'Lee' }, confirmed);
  await world.settled();
  const posted = sandbox.calls().filter(({ method, body }) => method === 'POST' && body.includes('ada@example.com'));
  expect(posted.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
    [
      '/v1/contacts',
      {
        email: 'ada@example.com',
        ...names,
        audience_id: standIn.lists()[0]?.id,
        properties: { supabase_user_id: id, signup_source: 'supabase' },
      },
    ],
  ]);
  expect(standIn.contact('ada@example.com')).toMatchObject({
    status: 'subscribed',
    attributes: { ...names, supabase_user_id: id, signup_source: 'supabase' },
    lists: ['News'],
  });
  expect(standIn.contact('left@example.com')).toMatchObject({
    status: 'unsubscribed',
    attributes: { first_name: 'Lee' },
    lists: ['News'],
  });

  standIn.optOut('ada@example.com', 'unsubscribe');
  await world.db.app.query(`update auth.users set email = 'countess@example.com' where id = $1`, [id]);
  await world.settled();
  expect(standIn.contact('ada@example.com')).toBeUndefined();
  expect(standIn.contact('countess@example.com')?.status).toBe('unsubscribed');
  await world.db.app.query('delete from auth.users where id = $1', [id]);
  await world.settled();
  expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['left@example.com']);
});

test.each([
  { bulk: 'import', importAnswer: 'docs', most: 6 },
  { bulk: 'bulk-import', importAnswer: 'sdk', most: 60 },
])(
  'many are imported by $bulk, and one that is refused is found ($importAnswer)',
  async ({ bulk, importAnswer, most }) => {
    const options = `upsert_keeps_unsubscribed: true\n    import_from: 50\n    bulk: ${bulk}`;
    const { world, config, sandbox, standIn, calls } = await project(options, { upsertResets: false, importAnswer });
    sandbox.addFaults([{ reject: 'p77@example.com' }]);
    await world.db.app.query(
      `insert into auth.users (id, email, raw_user_meta_data, email_confirmed_at, created_at)
     select gen_random_uuid(), 'p' || n || '@example.com', jsonb_build_object('first_name', 'P' || n), now(), now()
       from generate_series(1, 300) n`,
    );
    await world.start(config);
    await world.settled();
    expect(standIn.contactCount).toBe(299);
    expect(standIn.contact('p300@example.com')).toMatchObject({ attributes: { first_name: 'P300' }, lists: ['News'] });
    expect(standIn.contact('p77@example.com')).toBeUndefined();
    const status = (await world.status()).destinations[0];
    expect(status).toMatchObject({ in_step: 299, failed: 1, pause_code: null });
    const imports = calls(/^POST \/v1\/contacts\/(?:bulk-)?import$/);
    expect(imports).toBeGreaterThan(0);
    expect(sandbox.calls().length).toBeLessThanOrEqual(most);
  },
);
