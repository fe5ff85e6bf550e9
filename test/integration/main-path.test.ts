import { expect, test } from 'vitest';
import { createWorld } from '../support/world.ts';

test('a person signs up, edits their name, is deleted: the contact follows', async () => {
  const world = await createWorld();
  await world.start();
  const id = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Ann' });

  await world.db.app.query(`update auth.users set raw_user_meta_data = '{"full_name":"Anna"}' where id = $1`, [id]);
  await world.settled();
  expect(world.sandbox.state.contact('ann@example.com')?.fields).toMatchObject({ FIRSTNAME: 'Anna' });

  await world.db.app.query('delete from auth.users where id = $1', [id]);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(0);
  expect(world.sandbox.state.calls().map((c) => c.method)).toEqual(['PATCH', 'PATCH', 'DELETE']);
});
