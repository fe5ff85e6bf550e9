import { expect, test } from 'vitest';
import { createDurable } from '../../../src/sdk/durable.ts';
import { createProject, signUpAll, until } from './project.ts';
import { netWorker, runPump } from './support.ts';

test('what the app tells is sent by SQL alone; a list to join is a dead letter that says who joins it', async () => {
  const project = await createProject('brevo', 'import_from: off');
  const { db, standIn } = project;
  netWorker(db);
  await runPump(db);
  await signUpAll(project, 1);
  const address = 'p1@example.com';
  const told = createDurable(db.sql);
  await told.track([{ id: '1', address, name: 'order_placed', properties: { total: 5 }, at: undefined }]);
  await told.join([{ address, destination: 'brevo', list: 1 }]);
  await until(project, `(select count(*) from rollcall.events where state <> 'pending') = 2`, 60_000);
  const { rows } = await db.app.query<{ fate: string }>(
    `select concat_ws(' ', name, state, reason) as fate from rollcall.events order by seq`,
  );
  expect(rows.map(({ fate }) => fate)).toEqual(['order_placed delivered', 'list.joined dead lists_not_joined']);
  expect(standIn.events()).toMatchObject([{ name: 'order_placed', properties: { total: 5 } }]);
}, 120_000);
