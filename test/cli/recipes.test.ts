import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyInstall } from '../../src/sql/apply.ts';
import { projectRef } from '../../src/sql/project-ref.ts';
import { createWorld, parseWorld, type World } from '../support/world.ts';

const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');

/** The example below a heading of the README, as it stands there. */
function example(heading: string): string {
  const section = README.split(`### ${heading}\n`)[1] ?? '';
  return /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
}

/** A worker that runs with a config, in the place of the world's own. */
async function run(world: World, yaml: string): Promise<void> {
  const config = parseWorld(`database_url: ${JSON.stringify(world.db.hostedUrl)}\nenvironment: test\n${yaml}`);
  await applyInstall(world.db.sql, config, projectRef(world.db.hostedUrl, undefined));
  await world.start(config);
}

function destination(world: World): string {
  return `api_token: ${world.sandbox.token}, base_url: "${world.sandbox.apiUrl}", limits_scale: 10000`;
}

const confirmed = { email_confirmed_at: '2026-01-01T00:00:00Z' };

test('the Mailtrap recipe: sign-ups and profiles, and who unsubscribed stays so', async () => {
  const world = await createWorld({
    install: false,
    fields: { name: 'text' },
    ddl: 'create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text)',
  });
  const list = world.sandbox.state.addList('New Users').id;
  const yaml = example('Coming from the Mailtrap recipe')
    .replace(/api_token: [^,]*, account_id: [^,]*/, destination(world))
    .replace('4292', String(list));
  await run(world, yaml);

  const id = await world.signUp('ann@example.com', {}, confirmed);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')).toMatchObject({ status: 'subscribed', list_ids: [list] });

  await world.db.app.query(`insert into profiles (id, full_name) values ($1, 'Ann')`, [id]);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ name: 'Ann' });

  world.sandbox.state.suppress('ann@example.com');
  await world.db.app.query(`update profiles set full_name = 'Anna' where id = $1`, [id]);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')).toMatchObject({
    status: 'unsubscribed',
    fields: { name: 'Anna' },
  });
});

test('the Tajo page: customers are contacts, their orders events, whoever signs up is the same contact', async () => {
  const world = await createWorld({
    install: false,
    fields: { FIRSTNAME: 'text', SUBSCRIPTION_PLAN: 'text', MONTHLY_REVENUE: 'float', SIGNUP_DATE: 'date' },
    ddl: `create table public.customers (id int primary key, email text, full_name text, plan text, mrr numeric);
      create table public.orders (id bigint primary key, customer_email text, total numeric, status text, items jsonb)`,
  });
  const yaml = example('Coming from the Tajo page').replace(
    'table_mapping:',
    'user_mapping: { email: email }\n    table_mapping:',
  );
  await run(world, `${yaml}destinations: { mailtrap: { ${destination(world)} } }\nconsent: nobody\n`);

  await world.db.app.query(`insert into customers values (1, 'Ann@example.com', 'Ann', 'pro', 12.50);
    insert into orders values (9007199254740993, 'ann@example.com', 129.90, 'paid', '[{"sku": "a"}]')`);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({
    FIRSTNAME: 'Ann',
    SUBSCRIPTION_PLAN: 'pro',
    MONTHLY_REVENUE: 12.5,
  });
  expect(world.sandbox.state.contactEvents('ann@example.com')).toMatchObject([
    { name: 'order_placed', params: { amount: 129.9, order_status: 'paid', line_items: '[{"sku":"a"}]' } },
  ]);

  await world.signUp('ann@example.com', {}, confirmed);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(1);
  expect(world.sandbox.state.calls().map(({ method }) => method)).not.toContain('DELETE');
});
