import { describe, expect, test } from 'vitest';
import { applyInstall } from '../../../src/sql/apply.ts';
import { projectRef } from '../../../src/sql/project-ref.ts';
import type { FaultRule } from '../../../src/sandbox/faults.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import type { SandboxDestination } from '../../../src/sandbox/served.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import { onCleanup } from '../../support/database.ts';
import { eventually, signUpMany } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { WITNESS } from '../../chaos/storm/crew.ts';
import { createWorld, type Status, type World, type WorldOptions } from '../../support/world.ts';

const secret = `whsec_${btoa('s'.repeat(32))}`;

interface Hooked {
  readonly world: World;
  readonly receiver: Sandbox;
  readonly hook: SandboxDestination;
  /** The messages that arrived, in order. */
  readonly messages: () => readonly { readonly id: string; readonly type: string; readonly status: number }[];
}

/** A world with a receiver of webhooks beside its Mailtrap. */
async function hooked(
  options: WorldOptions & { faults?: readonly FaultRule[]; hook?: string; limitsScale?: number } = {},
): Promise<Hooked> {
  const { faults, hook: more = '', limitsScale = Infinity, ...others } = options;
  const receiver = await startSandbox({ only: ['webhook'], token: secret, limitsScale, ...(faults && { faults }) });
  onCleanup(() => receiver.close());
  const hook = receiver.of('webhook');
  const world = await createWorld({
    destinations: `webhook:
  url: ${hook.url}
  secret: ${secret}
  requests_per_second: 1000
  ${more}`,
    ...others,
  });
  return {
    world,
    receiver,
    hook,
    messages: () =>
      receiver.calls().map(({ headers, body, status }) => ({
        id: headers['webhook-id'] ?? '',
        type: (JSON.parse(body) as { type: string }).type,
        status,
      })),
  };
}

async function state(world: World): Promise<Status['destinations'][number]> {
  const found = (await world.status()).destinations.find(({ name }) => name === 'webhook');
  if (found === undefined) throw new Error('no webhook');
  return found;
}

describe('the life of a contact', () => {
  test('is told in messages of its own, each with its own id', async () => {
    const { world, hook, messages } = await hooked({ more: 'brakes: { deletes: off }' });
    await world.start();
    const id = await world.signUp('ann@example.com', { full_name: 'A' });
    await world.settled();
    const [{ id: contact } = { id: '' }] = [...hook.standIn.contacts()];
    for (const name of ['B', 'A']) {
      await world.db.app.query(
        `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', $2::text) where id = $1`,
        [id, name],
      );
      await world.settled();
    }
    await world.db.app.query(`update auth.users set email = 'anna@example.com' where id = $1`, [id]);
    await world.settled();
    expect([...hook.standIn.contacts()]).toMatchObject([
      { id: contact, address: 'anna@example.com', status: 'subscribed', attributes: { FIRSTNAME: 'A' } },
    ]);
    await world.db.app.query('delete from auth.users where id = $1', [id]);
    await world.settled();
    expect(hook.standIn.contactCount).toBe(0);
    expect(messages().map(({ type }) => type)).toEqual([
      ...Array.from({ length: 4 }, () => 'contact.upserted'),
      'contact.deleted',
    ]);
    expect(new Set(messages().map((message) => message.id)).size).toBe(5);
    expect(messages().every(({ status }) => status === 204)).toBe(true);
  });

  test('its events follow it, each with the id of the event and of the contact', async () => {
    const { world, hook, receiver } = await hooked({
      ddl: 'create table public.orders (id int primary key, user_id uuid, total numeric)',
      connector: `table_mapping:
  orders: { sync_as: events, event_name: order_placed, contact: { user_id: user_id }, properties: { id: order_id, total: amount } }`,
    });
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.db.app.query('insert into public.orders values (1, $1, 129.90), (2, $1, 5)', [user]);
    await world.settled();
    expect(hook.standIn.events()).toMatchObject([
      { address: 'ann@example.com', name: 'order_placed', properties: { order_id: 1, amount: 129.9 } },
      { address: 'ann@example.com', name: 'order_placed', properties: { order_id: 2, amount: 5 } },
    ]);
    const { rows } = await world.db.app.query<{ id: string }>(
      `select e.id from rollcall.events e join rollcall.destinations d on d.id = e.destination_id where d.name = 'webhook' order by e.seq`,
    );
    expect(hook.standIn.events().map(({ key }) => key)).toEqual(rows.map(({ id }) => id));
    const ids = receiver
      .calls()
      .map(({ body }) => (JSON.parse(body) as { data: { contact: { id: string } } }).data.contact.id);
    expect(new Set(ids).size).toBe(1);
  });

  test('who said no is told to have, from the first message on', async () => {
    const { world, hook } = await hooked({
      consent: '{ column: user_metadata.newsletter }',
    });
    await world.start();
    await world.signUp('no@example.com', { newsletter: false });
    await world.signUp('yes@example.com', { newsletter: true });
    await world.settled();
    expect(hook.standIn.contact('no@example.com')).toMatchObject({ status: 'unsubscribed' });
    expect(hook.standIn.contact('yes@example.com')).toMatchObject({ status: 'subscribed' });
  });
});

describe('an answer that is lost', () => {
  test('is followed by the same message, and after the grace by one more that is no repetition', async () => {
    const { world, hook, messages } = await hooked({ faults: [{ drop: 'after', count: 1 }] });
    await world.start();
    await world.signUp('ann@example.com', { full_name: 'A' });
    await world.settled();
    const [first, second, third, ...more] = messages();
    expect([first?.status, second?.status, third?.status]).toEqual([0, 204, 204]);
    expect(second?.id).toBe(first?.id);
    expect(third?.id).toBe(`${first?.id}_again`);
    expect(more).toEqual([]);
    expect(hook.standIn.contactCount).toBe(1);
  });

  test('of an event is followed by the same one, which has its effect once', async () => {
    const { world, hook, receiver, messages } = await hooked({
      ddl: 'create table public.orders (id int primary key, user_id uuid)',
      connector: `table_mapping:
  orders: { sync_as: events, event_name: order_placed, contact: { user_id: user_id }, properties: { id: order_id } }`,
    });
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.settled();
    receiver.addFaults([{ drop: 'after', count: 1 }]);
    await world.db.app.query('insert into public.orders values (1, $1)', [user]);
    await world.settled();
    const sent = messages().filter(({ type }) => type === 'event.order_placed');
    expect(sent.map(({ status }) => status)).toEqual([0, 204]);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1);
    expect(hook.standIn.eventCount).toBe(1);
  });
});

describe('410', () => {
  test('stops it for good: no time and no restart starts it again, and `apply` does', async () => {
    const { world, receiver, hook } = await hooked({ faults: [{ status: 410 }] });
    const times = { breaker: { firstPauseMs: 50, longestPauseMs: 100 } };
    const worker = await world.start(undefined, { times });
    await world.signUp('ann@example.com', { full_name: 'A' });
    await eventually(async () => (await state(world)).pause_code === 'gone');
    const asked = receiver.counters().calls;
    expect(asked).toBe(1);
    await worker.stop();
    receiver.clearFaults();
    const next = await world.start(undefined, { times });
    await world.signUp('bob@example.com', { full_name: 'B' });
    // Mailtrap gets it, so the worker is at work.
    await world.sandbox.until((mailtrap) => mailtrap.contactCount === 2);
    expect(receiver.counters().calls).toBe(asked);
    expect(await state(world)).toMatchObject({ pause_code: 'gone', pending: 2, failed: 0 });
    await next.stop();

    await applyInstall(world.db.sql, world.config, projectRef(world.db.hostedUrl, undefined));
    await world.start(undefined, { times });
    await world.settled();
    expect(hook.standIn.contactCount).toBe(2);
    expect(await state(world)).toMatchObject({ pause_code: null, pending: 0 });
  });
});

test('a message that is too large is a dead letter that says its size, and was not sent', async () => {
  const { world, receiver } = await hooked({ hook: 'max_bytes: 1000' });
  await world.start();
  await world.signUp('ann@example.com', { full_name: 'x'.repeat(1_000) });
  await world.settled();
  const { rows } = await world.db.app.query<{ code: string; message: string }>(
    `select l.code, l.message from rollcall.dead_letters l join rollcall.destinations d on d.id = l.destination_id
      where d.name = 'webhook'`,
  );
  expect(rows).toEqual([
    {
      code: 'too_large',
      message: expect.stringMatching(/^This takes \d{4} bytes, and Webhook takes at most 1000/) as string,
    },
  ]);
  expect(receiver.counters().calls).toBe(0);
});

test('a receiver that is slower than we are allowed to be is waited for, and gets everybody', async () => {
  const { world, receiver, hook } = await hooked({ limitsScale: 1 });
  await world.start();
  await signUpMany(world, 25);
  await receiver.until(() => hook.standIn.contactCount === 25, 20_000);
  expect(receiver.counters().byStatus['429']).toBeGreaterThan(0);
  expect(await state(world)).toMatchObject({ failed: 0, pause_code: null });
});

test('a worker whose clock is wrong by an hour signs with the time of the database', async () => {
  const { world, hook, messages } = await hooked();
  const env = { ROLLCALL_CHAOS_SKEW_MS: '-3600000' };
  await startWorkerProcess(world.yaml, {}, false, { preload: WITNESS, env });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(messages().map(({ status }) => status)).toEqual([204]);
  expect(hook.standIn.contactCount).toBe(1);
});
