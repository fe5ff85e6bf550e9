import { expect, test } from 'vitest';
import { eventually } from '../../support/people.ts';
import { createWorld } from '../../support/world.ts';

const SECRETS = {
  encrypted_password: '$2a$10$hashhashhashhash',
  confirmation_token: 'confirm-7f3a91',
  recovery_token: 'recover-7f3a91',
  email_change_token_new: 'change-7f3a91',
  reauthentication_token: 'reauth-7f3a91',
  phone: '+49301234567',
};

test('only mapped columns leave, and no log line says who it is about', async () => {
  const world = await createWorld({
    sandbox: {
      faults: [
        { match: { email: 'grace@example.com' }, status: 500, count: 1 },
        { match: { email: 'grace@example.com' }, drop: 'after', count: 1 },
        { reject: 'poison@example.com' },
      ],
    },
  });
  const bodies: string[] = [];
  world.sandbox.onCall((call) => bodies.push(`${call.method} ${call.path} ${call.body}`));
  await world.start();
  const id = await world.signUp('grace@example.com', { full_name: 'Grace Hopper', nickname: 'amazing' }, SECRETS);
  await world.signUp('poison@example.com', { full_name: 'Hopper Poison' });
  await world.signUp('brown@example.com', { full_name: 'Brown' });
  await world.db.app.query(`update auth.users set email_change = 'pending@example.com' where id = $1`, [id]);
  await world.settled();
  await world.db.app.query(`update auth.users set email = 'hopper@example.com' where id = $1`, [id]);
  await world.settled();

  const sent = bodies.join('\n');
  for (const secret of [...Object.values(SECRETS), 'amazing', 'pending', id]) expect(sent).not.toContain(secret);
  const keys = bodies.flatMap((line) => {
    const json = line.slice(line.indexOf('{'));
    if (!json.startsWith('{')) return [];
    const { contact } = JSON.parse(json) as { contact: { fields: object } };
    return [...Object.keys(contact), ...Object.keys(contact.fields ?? {})];
  });
  expect([...new Set(keys)].toSorted()).toEqual(['FIRSTNAME', 'email', 'fields']);

  expect(world.logs.some((line) => line.startsWith('debug attempt'))).toBe(true);
  const logged = world.logs.join('\n');
  for (const personal of ['grace', 'hopper', 'poison', 'brown', '@', '%40', world.sandbox.token, id, '+49']) {
    expect(logged.toLowerCase()).not.toContain(personal.toLowerCase());
  }
});

test('errors of the destination and of the database are logged without their words', async () => {
  const world = await createWorld({
    mapping:
      'unconfirmed: true\nemail: email\nuser_metadata.full_name: FIRSTNAME\nattributes: {N: {sql: "(user_metadata->>\'n\')::int", type: integer}}',
    fields: { FIRSTNAME: 'text', N: 'integer' },
  });
  const worker = await world.start();
  await world.signUp('grace@example.com', { full_name: 'Grace', n: 'not a number of grace@example.com' });
  await world.settled();
  expect((await world.status()).destinations[0]?.causes).toMatchObject([{ stage: 'map', code: '22P02', count: 1 }]);
  // The vendor answers with the address in its words.
  world.sandbox.addFaults([{ status: 401, count: 1 }]);
  await world.signUp('hopper@example.com', { full_name: 'Hopper', n: 1 });
  await eventually(() => world.logs.some((line) => line.includes('refuses us')));
  await world.db.app.query('drop schema rollcall cascade');
  await expect(worker.ended).rejects.toMatchObject({ code: 'RC_NOT_INSTALLED' });
  const failure = (await worker.ended.catch((error: unknown) => error)) as Error;
  const said = [...world.logs, failure.message, String(failure)].join('\n').toLowerCase();
  for (const personal of ['grace', 'hopper', '@example', 'not a number']) expect(said).not.toContain(personal);
});
