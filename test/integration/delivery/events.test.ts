import { describe, expect, test } from 'vitest';
import { createWorld, type World, type WorldOptions } from '../../support/world.ts';

const ORDERS = `create table public.orders (id bigint generated always as identity primary key,
  user_id uuid references auth.users on delete set null, total numeric, items jsonb, note text)`;

const CONNECTOR = `table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    contact: { user_id: user_id }
    properties: { id: order_id, total: amount, items: items, note: note }`;

async function shop(options: WorldOptions = {}): Promise<World> {
  return await createWorld({ ddl: ORDERS, connector: CONNECTOR, ...options });
}

async function order(world: World, user: string, note = 'x', count = 1): Promise<void> {
  await world.db.app.query(
    `insert into public.orders (user_id, total, items, note)
     select $1, 129.90, '[{"sku": "a", "n": 9007199254740993}]', $2 from generate_series(1, $3)`,
    [user, note, count],
  );
}

/** What became of each event, in order. */
async function fates(world: World): Promise<readonly string[]> {
  const { rows } = await world.db.app.query<{ fate: string }>(
    `select concat_ws(' ', state, reason) as fate from rollcall.events order by seq`,
  );
  return rows.map(({ fate }) => fate);
}

function orderIds(world: World, contact?: string): unknown[] {
  return world.sandbox.state.contactEvents(contact).map(({ params }) => params['order_id']);
}

describe('events of a contact', () => {
  test('come after it, in order, however many, flat and exact', async () => {
    const world = await shop();
    await world.start();
    await world.db.app.query('begin');
    const user = await world.signUp('ann@example.com');
    await order(world, user, 'x', 25);
    await world.db.app.query('commit');
    await world.settled();
    const events = world.sandbox.state.contactEvents('ann@example.com');
    expect(orderIds(world)).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
    expect(events[0]).toMatchObject({
      name: 'order_placed',
      params: { order_id: 1, amount: 129.9, items: '[{"n":9007199254740993,"sku":"a"}]', note: 'x' },
    });
    const methods = world.sandbox.state.calls().map(({ method }) => method);
    expect(methods).toEqual(['PATCH', ...Array.from({ length: 25 }, () => 'POST')]);
  });

  test('one that is refused is a dead letter of its own', async () => {
    const world = await shop();
    await world.start();
    const user = await world.signUp('ann@example.com');
    await order(world, user, 'x'.repeat(300));
    await order(world, user, 'short');
    await world.settled();
    expect(await fates(world)).toEqual(['dead invalid_property', 'delivered']);
    expect(orderIds(world)).toEqual([2]);
  });

  test('bring a contact back that somebody deleted at the destination', async () => {
    const world = await shop();
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.settled();
    await fetch(`${world.sandbox.apiUrl}/api/contacts/ann%40example.com`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${world.sandbox.token}` },
    });
    await order(world, user);
    await world.settled();
    expect(world.sandbox.state.contacts()).toMatchObject([{ email: 'ann@example.com' }]);
    expect(orderIds(world, 'ann@example.com')).toEqual([1]);
  });

  test('keep their order through errors, limits and lost requests', async () => {
    const world = await shop();
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.settled();
    const match = { path: '/events$' };
    world.sandbox.addFaults([
      { match, status: 500, count: 1 },
      { match, status: 429, retryAfter: 1, count: 1 },
      { match, drop: 'before', count: 1 },
    ]);
    for (let n = 0; n < 3; n += 1) await order(world, user);
    await world.settled();
    expect(orderIds(world)).toEqual([1, 2, 3]);
    expect(await fates(world)).toEqual(['delivered', 'delivered', 'delivered']);
  });

  test.each([
    ['at_least_once', [1, 1, 2], ['delivered', 'delivered']],
    ['at_most_once', [1, 2], ['dead unknown_not_repeated', 'delivered']],
  ])('%s, when an answer is lost', async (policy, arrived, expected) => {
    const world = await shop({ grace: `300ms, events: ${policy}` });
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.settled();
    world.sandbox.addFaults([{ match: { path: '/events$' }, drop: 'after', count: 1 }]);
    await order(world, user, 'x', 2);
    await world.settled();
    expect(orderIds(world)).toEqual(arrived);
    expect(await fates(world)).toEqual(expected);
  });

  test('a key that is revoked pauses the destination at an event too, and burns none', async () => {
    const world = await shop();
    await world.start();
    const user = await world.signUp('ann@example.com');
    await world.settled();
    world.sandbox.addFaults([{ match: { path: '/events$' }, status: 401 }]);
    await order(world, user);
    await world.sandbox.until((state) => state.counters().byStatus[401] === 1);
    expect(await fates(world)).toEqual(['pending']);
    world.sandbox.clearFaults();
    await world.start();
    await world.settled();
    expect(await fates(world)).toEqual(['delivered']);
  });
});

describe('who left', () => {
  test.each([
    ['delete', []],
    ['unsubscribe', [{ email: 'ann@example.com', status: 'unsubscribed', fields: { FIRSTNAME: 'Ann' } }]],
    ['keep', [{ email: 'ann@example.com', status: 'subscribed' }]],
  ])('on_delete: %s, and what they did before is still told', async (policy, left) => {
    const world = await shop({ destination: `on_delete: ${policy}` });
    await world.start();
    const user = await world.signUp('ann@example.com', { full_name: 'Ann' });
    await world.settled();
    await world.db.app.query('begin');
    await order(world, user);
    await world.db.app.query('delete from auth.users where id = $1', [user]);
    await world.db.app.query('commit');
    await world.settled();
    expect(world.sandbox.state.contacts()).toMatchObject(left);
    expect(world.sandbox.state.contactCount).toBe(left.length);
    expect(orderIds(world)).toEqual([1]);
    expect(
      world.sandbox.state
        .calls()
        .map(({ body }) => body)
        .join(),
    ).not.toMatch(/"unsubscribed":\s*false/);
  });
});
