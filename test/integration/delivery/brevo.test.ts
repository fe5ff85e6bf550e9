import { expect, test } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import type { FaultRule } from '../../../src/sandbox/faults.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { onCleanup } from '../../support/database.ts';
import { signUpMany } from '../../support/people.ts';
import { createWorld, type Status, type World } from '../../support/world.ts';

/** A world with a Brevo account beside its Mailtrap; people join the list News. */
async function withBrevo(more: string, faults: readonly FaultRule[] = []) {
  const sandbox = await startSandbox({ only: ['brevo'], limitsScale: 10_000, jobStepMs: 20, faults });
  onCleanup(() => sandbox.close());
  const { url, token, standIn } = sandbox.of('brevo');
  standIn.addField('N', 'text');
  const list = standIn.addList('News');
  const world = await createWorld({
    mapping: 'unconfirmed: true\nemail: email\nphone: SMS\nuser_metadata.full_name: FIRSTNAME\nuser_metadata.n: N',
    fields: { FIRSTNAME: 'text', N: 'text', SMS: 'text' },
    more: 'brakes: { deletes: off, changes: off }',
    destinations: `brevo:
  api_key: ${token}
  base_url: ${url}
  lists: [News]
  limits_scale: 10000
  ${more}`,
  });
  const call = async (method: string, path: string, body: Json) => {
    const headers = { 'api-key': token, 'content-type': 'application/json' };
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    expect(answer.ok).toBe(true);
  };
  const of = (method: string, path: RegExp): readonly SandboxCall[] =>
    sandbox.calls().filter((each) => each.method === method && path.test(each.path));
  return { world, standIn, list, call, of };
}

async function state(world: World): Promise<Status['destinations'][number]> {
  return (await world.status()).destinations.find(({ name }) => name === 'brevo')!;
}

async function edit(world: World, n: number): Promise<void> {
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int)`,
    [n],
  );
}

test('many go in one import; who has a phone number goes alone, and so does who would join a list again', async () => {
  const { world, standIn, list, call, of } = await withBrevo('import_from: 20');
  await world.start();
  await signUpMany(world, 60);
  await world.signUp('phone@example.com', { full_name: 'P' }, { phone: '15551234567' });
  await world.settled();
  expect([standIn.contactCount, await state(world)]).toMatchObject([61, { in_step: 61, failed: 0 }]);
  const imported = of('POST', /\/import$/);
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.map(({ body }) => body).join()).not.toContain('phone@example.com');
  expect(standIn.contact('phone@example.com')?.attributes).toMatchObject({ SMS: '+15551234567' });
  expect([...standIn.contacts()].every(({ lists }) => lists.includes('News'))).toBe(true);

  await call('POST', `/contacts/lists/${list}/contacts/remove`, { emails: ['p7@example.com'] });
  await edit(world, 1);
  await world.settled();
  expect([...standIn.contacts()].every(({ attributes }) => attributes['N'] === '1')).toBe(true);
  expect(standIn.contact('p7@example.com')?.lists).toEqual([]);
  expect(of('POST', /\/import$/)).toHaveLength(imported.length);
});

test('an import that was not for all tells nobody who: each goes alone, and the bad one is a dead letter', async () => {
  const { world, standIn, of } = await withBrevo('import_from: 20', [{ reject: 'p3@example.com' }]);
  await world.start();
  await signUpMany(world, 40);
  await world.settled();
  expect(of('POST', /\/import$/).length).toBeGreaterThan(0);
  expect(standIn.contactCount).toBe(39);
  expect(await state(world)).toMatchObject({ in_step: 39, failed: 1, causes: [{ code: 'invalid_email', count: 1 }] });
});

test('who was there before us is updated without an id, joins once, and moves by their address', async () => {
  const { world, standIn, list, call } = await withBrevo('import_from: off');
  await call('POST', '/contacts', { email: 'ann@example.com', attributes: { LASTNAME: 'Old' } });
  const { id } = standIn.contact('ann@example.com')!;
  await world.start();
  const user = await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(standIn.contact(id)).toMatchObject({ attributes: { FIRSTNAME: 'Ann', LASTNAME: 'Old' }, lists: ['News'] });
  await call('POST', `/contacts/lists/${list}/contacts/remove`, { emails: ['ann@example.com'] });
  await edit(world, 1);
  await world.settled();
  expect(standIn.contact(id)).toMatchObject({ attributes: { N: '1' }, lists: [] });
  await call('PUT', `/contacts/${id}`, { emailBlacklisted: true });
  await world.db.app.query('update auth.users set email = $1 where id = $2', ['anna@example.com', user]);
  await world.settled();
  expect([...standIn.contacts()]).toMatchObject([
    { id, address: 'anna@example.com', status: 'unsubscribed', attributes: { LASTNAME: 'Old' } },
  ]);
});

test('a value that Brevo would drop is a dead letter that was never sent', async () => {
  const { world, of } = await withBrevo('import_from: off');
  await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' }, { phone: '0151' });
  await world.settled();
  expect(of('POST', /\/contacts$/)).toEqual([]);
  expect(await state(world)).toMatchObject({ in_step: 0, failed: 1, causes: [{ code: 'invalid_value' }] });
});

test('updates by batch: who is there is updated with others, a hundred together; who is new, or has a phone number, goes alone', async () => {
  const { world, standIn, of } = await withBrevo('import_from: 20\n  update_by: batch');
  const first = await world.start();
  await signUpMany(world, 120);
  await world.signUp('phone@example.com', { full_name: 'P' }, { phone: '15551234567' });
  await world.settled();
  expect([standIn.contactCount, of('POST', /\/(?:import|batch)$/)]).toEqual([121, []]);
  const singles = of('POST', /\/contacts$/).length + of('PUT', /./).length;

  standIn.optOut('p5@example.com', 'unsubscribe');
  // A worker that has just found nobody to send together rests from looking.
  await first.stop();
  await edit(world, 1);
  await world.start();
  await world.settled();
  const batches = of('POST', /\/batch$/);
  expect(batches.length).toBeGreaterThanOrEqual(2);
  expect(batches.map(({ body }) => body).join()).not.toContain('phone@example.com');
  const more = of('POST', /\/contacts$/).length + of('PUT', /./).length - singles;
  expect(more).toBeLessThan(60);
  expect([...standIn.contacts()].every(({ attributes }) => attributes['N'] === '1')).toBe(true);
  expect(standIn.contact('p5@example.com')?.status).toBe('unsubscribed');
  expect(await state(world)).toMatchObject({ in_step: 121, failed: 0, pending: 0 });
});
