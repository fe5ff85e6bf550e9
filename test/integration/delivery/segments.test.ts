import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startSandbox } from '../../../src/sandbox/start.ts';
import { onCleanup } from '../../support/database.ts';
import { createWorld } from '../../support/world.ts';

const USERS = ['u0', 'u1', 'u2', 'u3'].map((name) => `${name}@example.com`);
/** Known by a row of `customers` alone, while there is one. */
const GUESTS = ['g0', 'g1'].map((name) => `${name}@example.com`);

const SEGMENTS = `segments:
  pro:
    filter: user_metadata->>plan=eq.pro&email=ilike.U*
    destination: mailtrap
    list: Pro users
  buyers:
    from: orders
    contact: { email: customer_email }
    where: total > 10 and status <> 'cancelled'
    destination: mailtrap
    list: Buyers
  rich:
    from: customers
    filter: plan=in.(pro,"team, large")&mrr=gt.100
    destination: brevo
    list: Rich customers
brakes: { deletes: off, changes: off }`;

const DDL = `create table customers (email text primary key, plan text, mrr numeric);
create table orders (id int generated always as identity primary key, customer_email text, total numeric, status text)`;

/** A Mailtrap and a Brevo account with the lists of the segments, and what the other people of the company do there. */
async function createShop() {
  const brevo = await startSandbox({ only: ['brevo'], limitsScale: 10_000, jobStepMs: 20 });
  onCleanup(() => brevo.close());
  const { url, token, standIn } = brevo.of('brevo');
  const world = await createWorld({
    ddl: DDL,
    connector: 'table_mapping:\n  customers:\n    email: email\n    plan: FIRSTNAME',
    mapping: 'email: email\nunconfirmed: true\nuser_metadata.plan: N',
    destinations: `brevo:\n  api_key: ${token}\n  base_url: ${url}\n  limits_scale: 10000`,
    more: SEGMENTS,
  });
  const { sandbox } = world;
  for (const name of ['FIRSTNAME', 'N']) standIn.addField(name, 'text');
  const lists = { pro: sandbox.state.addList('Pro users').id, buyers: sandbox.state.addList('Buyers').id };
  const rich = standIn.addList('Rich customers');
  // Some answers are lost after the request was heeded, some requests before.
  const lossy = (): void => {
    for (const each of [sandbox, brevo])
      each.addFaults([
        { drop: 'after', rate: 0.1 },
        { drop: 'before', rate: 0.05 },
      ]);
  };
  return {
    world,
    lossy,
    /** The members of each list, sorted. */
    members(): Record<string, string[]> {
      const on = (id: number): string[] =>
        sandbox.state.contacts().flatMap(({ email, list_ids: ids }) => (ids.includes(id) ? [email] : []));
      const there = [...standIn.contacts()].flatMap(({ address, lists: own }) =>
        own.includes('Rich customers') ? [address ?? ''] : [],
      );
      return { pro: on(lists.pro).toSorted(), buyers: on(lists.buyers).toSorted(), rich: there.toSorted() };
    },
    /** Somebody puts a contact on a list by hand. */
    async put(segment: 'pro' | 'buyers' | 'rich', email: string): Promise<void> {
      for (const each of [sandbox, brevo]) each.clearFaults();
      const headers = { 'content-type': 'application/json' };
      const answer =
        segment === 'rich'
          ? await fetch(`${url}/contacts/lists/${rich}/contacts/add`, {
              method: 'POST',
              headers: { ...headers, 'api-key': token },
              body: JSON.stringify({ emails: [email] }),
            })
          : await fetch(`${sandbox.apiUrl}/api/contacts/${email}`, {
              method: 'PATCH',
              headers: { ...headers, authorization: `Bearer ${sandbox.token}` },
              body: JSON.stringify({ contact: { email, list_ids_included: [lists[segment]] } }),
            });
      expect(answer.ok).toBe(true);
      lossy();
    },
  };
}

type Edit =
  | { readonly kind: 'user'; readonly who: string; readonly plan: string }
  | { readonly kind: 'customer'; readonly who: string; readonly row: readonly [plan: string, mrr: number] | null }
  | { readonly kind: 'order'; readonly who: string; readonly row: readonly [total: number, status: string] | null }
  | { readonly kind: 'other'; readonly who: string; readonly segment: 'pro' | 'buyers' | 'rich' };

const anybody = fc.constantFrom(...USERS, ...GUESTS);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('user'), who: fc.constantFrom(...USERS), plan: fc.constantFrom('free', 'pro') }),
  fc.record({
    kind: fc.constant('customer'),
    who: anybody,
    row: fc.option(fc.tuple(fc.constantFrom('free', 'pro', 'team, large'), fc.constantFrom(50, 101, 1000))),
  }),
  fc.record({
    kind: fc.constant('order'),
    who: anybody,
    row: fc.option(fc.tuple(fc.constantFrom(5, 20), fc.constantFrom('paid', 'cancelled'))),
  }),
  fc.record({ kind: fc.constant('other'), who: anybody, segment: fc.constantFrom('pro', 'buyers', 'rich') }),
);

test('members of segments come and go with the rows, and whoever others put on a list stays', async () => {
  const shop = await createShop();
  const { world } = shop;
  const { app } = world.db;
  const plans = new Map<string, string>(USERS.map((email) => [email, 'free']));
  const customers = new Map<string, readonly [string, number]>();
  const orders = new Map<string, readonly [number, string]>();
  const others = { pro: new Set<string>(), buyers: new Set<string>(), rich: new Set<string>() };
  const isThere = (email: string): boolean => plans.has(email) || customers.has(email);
  const inSegment = {
    pro: (email: string) => plans.get(email) === 'pro',
    buyers: (email: string) =>
      isThere(email) && (orders.get(email)?.[0] ?? 0) > 10 && orders.get(email)?.[1] === 'paid',
    rich: (email: string) => customers.get(email)?.[0] !== 'free' && (customers.get(email)?.[1] ?? 0) > 100,
  };

  async function apply(one: Edit): Promise<void> {
    const { who } = one;
    switch (one.kind) {
      case 'user':
        plans.set(who, one.plan);
        await app.query('update auth.users set raw_user_meta_data = raw_user_meta_data || $2 where email = $1', [
          who,
          { plan: one.plan },
        ]);
        return;
      case 'customer':
        await app.query('delete from customers where email = $1', [who]);
        customers.delete(who);
        if (one.row === null) return;
        customers.set(who, one.row);
        await app.query('insert into customers (email, plan, mrr) values ($1, $2, $3)', [who, ...one.row]);
        return;
      case 'order':
        orders.delete(who);
        await app.query('delete from orders where customer_email = $1', [who]);
        if (one.row === null) return;
        orders.set(who, one.row);
        await app.query('insert into orders (customer_email, total, status) values ($1, $2, $3)', [who, ...one.row]);
        return;
      case 'other':
        if (!isThere(who) || inSegment[one.segment](who) || others[one.segment].has(who)) return;
        others[one.segment].add(who);
        await shop.put(one.segment, who);
    }
  }

  function expected(): Record<string, string[]> {
    const people = [...USERS, ...GUESTS];
    for (const name of ['pro', 'buyers', 'rich'] as const) {
      // A contact that went took all of it along, and whoever came in is ours.
      for (const email of people) if (!isThere(email) || inSegment[name](email)) others[name].delete(email);
    }
    const of = (name: keyof typeof others): string[] =>
      people.filter((email) => inSegment[name](email) || others[name].has(email)).toSorted();
    return { pro: of('pro'), buyers: of('buyers'), rich: of('rich') };
  }

  for (const email of USERS) await world.signUp(email, { plan: 'free' });
  await world.start();
  await world.settled(60_000);
  expect(shop.members()).toEqual({ pro: [], buyers: [], rich: [] });
  // Not before: a destination whose lists cannot be read at the start is paused for half a minute.
  shop.lossy();
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(edit, { minLength: 1, maxLength: 5, selector: ({ who }) => who }),
      async (edits) => {
        for (const each of edits) await apply(each);
        await world.settled(60_000);
        expect(shop.members()).toEqual(expected());
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 20), endOnFailure: true },
  );
  const { rows } = await app.query(
    'select destination, list, wanted::int, told::int from rollcall.list_counts() order by 2',
  );
  const now = shop.members();
  expect(rows.map(({ told }) => told)).toEqual(rows.map(({ wanted }) => wanted));
  expect(rows.map(({ wanted }) => wanted >= 0)).toEqual([true, true, true]);
  expect(Object.keys(now)).toHaveLength(3);
}, 180_000);
