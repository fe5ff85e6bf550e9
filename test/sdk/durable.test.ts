import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';
import { Rollcall } from '../../src/sdk/index.ts';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';

// One database with Rollcall in it, put there by `connect`; each test has people of its own.

let db: TestDatabase;
let end: () => Promise<void>;
let sandbox: Sandbox;
let rollcall: Rollcall;
const told: string[] = [];

beforeAll(async () => {
  [db, end] = await createLastingDatabase(true);
  sandbox = await startSandbox({ only: ['mailtrap', 'brevo', 'sendry'], limitsScale: Infinity });
  const silent = (): void => undefined;
  rollcall = new Rollcall({
    env: { DATABASE_URL: db.hostedUrl, ROLLCALL_SANDBOX_URL: sandbox.url },
    log: { error: silent, warn: silent, info: silent, debug: silent },
    config: {
      environment: 'development',
      connectors: { supabase: { user_mapping: { email: 'email', unconfirmed: true } } },
      destinations: {
        mailtrap: { limits_scale: 10_000 },
        brevo: { limits_scale: 10_000 },
        sendry: { limits_scale: 10_000 },
      },
      consent: { everyone: 'they agreed to the terms' },
      delivery: { grace: '300ms', retry: { first: '50ms', longest: '200ms' } },
      brakes: 'off',
    },
  });
  rollcall.on('delivered', ({ destination, of }) => void told.push(`${destination} ${of}`));
  expect(await rollcall.connectors.connect('supabase')).toEqual({
    durable: true,
    installed: true,
    destinations: ['mailtrap', 'brevo', 'sendry'],
  });
  expect(await rollcall.connectors.connect('supabase')).toMatchObject({ installed: false });
  await rollcall.start();
}, 120_000);

afterAll(async () => {
  await rollcall?.stop();
  await sandbox?.close();
  await end?.();
});

async function signUp(email: string): Promise<void> {
  await db.app.query('insert into auth.users (id, email, created_at) values (gen_random_uuid(), $1, now())', [email]);
}

/** What became of the events of an address, once there are so many of them, and so many wait. */
async function fates(address: string, count: number, waiting = 0): Promise<readonly string[]> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { rows } = await db.app.query<{ fate: string; pending: boolean }>(
      `select concat_ws(' ', d.name, e.name, e.state, e.reason) as fate, e.state = 'pending' as pending
         from rollcall.events e join rollcall.destinations d on d.id = e.destination_id
         left join rollcall.desired s on s.contact_id = e.contact_id and s.destination_id = e.destination_id
         left join rollcall.contacts c on c.id = e.contact_id
        where coalesce(s.address, substr(c.key, 7)) = $1 order by d.id, e.seq`,
      [address],
    );
    const open = rows.filter(({ pending }) => pending).length;
    if (rows.length === count && open === waiting) return rows.map(({ fate }) => fate);
    if (performance.now() > deadline) throw new Error(`still: ${rows.map(({ fate }) => fate).join(', ')}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
}

test('an event waits for its contact, and the same id is taken once, whatever the address looks like', async () => {
  const event = { event: 'order_placed', id: 17, properties: { total: 9007199254740993n, at: new Date(0) } };
  await rollcall.events.track({ email: 'Early@Example.com', ...event, at: '2026-01-31T12:00:00Z' });
  await rollcall.events.track([
    { email: ' early@example.com', ...event },
    { email: 'early@example.com', ...event, event: 'order_shipped' },
    // The same id of somebody else is another event.
    { email: 'second@example.com', ...event },
  ]);
  const names = ['order_placed', 'order_shipped'];
  const all = (state: string): readonly string[] =>
    ['mailtrap', 'brevo', 'sendry'].flatMap((name) => names.map((each) => `${name} ${each} ${state}`));
  expect(await fates('early@example.com', 6, 6)).toEqual(all('pending'));
  await signUp('early@example.com');
  expect(await fates('early@example.com', 6)).toEqual(all('delivered'));
  expect(await fates('second@example.com', 3, 3)).toHaveLength(3);
  const { standIn } = sandbox.of('brevo');
  expect(standIn.events()).toMatchObject([
    { address: 'early@example.com', name: 'order_placed', at: Date.UTC(2026, 0, 31, 12) },
    { name: 'order_shipped' },
  ]);
  expect(JSON.stringify(sandbox.calls().map(({ body }) => body))).toContain('9007199254740993');
  expect(told).toContain('brevo event');
}, 90_000);

test('a list is joined by whoever is a contact, by id or name, once the contact is there', async () => {
  const rows = Array.from({ length: 30 }, (_, n) => ({ email: `m${n}@example.com`, plan: 'pro' }));
  for (const { email } of rows) await signUp(email);
  async function* stream() {
    yield* rows;
    yield { email: null };
  }
  for (const destination of ['mailtrap', 'brevo'] as const) {
    const { standIn } = sandbox.of(destination);
    standIn.addList('Pro');
    const added = await rollcall.lists.addContacts('Pro', stream(), { destination });
    expect(added).toEqual({ durable: true, taken: 30, unchanged: 0, invalid: 1 });
    await sandbox.until(
      () => rows.every(({ email }) => standIn.contact(email)?.lists.includes('Pro') === true),
      60_000,
    );
  }
  expect(await fates('m7@example.com', 2)).toEqual(['mailtrap list.joined delivered', 'brevo list.joined delivered']);
  // An opt-out stays one: to join says nothing of it.
  const { standIn } = sandbox.of('mailtrap');
  standIn.optOut('m1@example.com', 'unsubscribe');
  standIn.addList('Later');
  await rollcall.lists.addContacts('Later', [{ address: 'm1@example.com' }], {
    destination: 'mailtrap',
    email: 'address',
  });
  await sandbox.until(() => standIn.contact('m1@example.com')?.lists.includes('Later') === true, 60_000);
  expect(standIn.contact('m1@example.com')?.status).toBe('unsubscribed');
}, 120_000);

test('a list that is not there is a dead letter of that contact, and nobody else waits', async () => {
  await signUp('lost@example.com');
  await rollcall.lists.addContacts(987_654, [{ email: 'lost@example.com' }], { destination: 'brevo' });
  await rollcall.events.track({ email: 'lost@example.com', event: 'later' });
  const [, joined, later] = await fates('lost@example.com', 4);
  expect(joined).toMatch(/^brevo list.joined dead /);
  expect(later).toBe('brevo later delivered');
}, 90_000);

test('whose list it is must be clear, and Sendry adds nobody by address', async () => {
  const row = [{ email: 'a@example.com' }];
  await expect(rollcall.lists.addContacts(1, row)).rejects.toMatchObject({ code: 'RC_LIST_DESTINATION' });
  await expect(rollcall.lists.addContacts(1, row, { destination: 'sendry' })).rejects.toMatchObject({
    code: 'RC_LIST_DESTINATION',
    hint: expect.stringContaining('mailtrap, brevo'),
  });
  await expect(rollcall.lists.addContacts('Nope', row, { destination: 'brevo' })).rejects.toMatchObject({
    code: 'RC_LIST_UNKNOWN',
  });
  expect(await rollcall.lists.addContacts(1, null, { destination: 'brevo' })).toMatchObject({ taken: 0 });
}, 60_000);

test('what cannot be sent is refused at once, without a word of whose it is', async () => {
  const ok = { email: 'a@example.com', event: 'x' };
  for (const [wrong, field] of [
    [{ ...ok, email: 'nobody' }, 'email'],
    [{ ...ok, event: '' }, 'event'],
    [{ ...ok, at: 'yesterday' }, 'at'],
    [{ ...ok, properties: { text: 'a\u0000b' } }, 'properties'],
    [{ ...ok, properties: { text: '\uD800' } }, 'properties'],
    [{ ...ok, properties: { text: 'x'.repeat(200_000) } }, 'properties'],
  ] as const) {
    const failed = rollcall.events.track(wrong);
    await expect(failed).rejects.toMatchObject({ code: 'RC_EVENT_INVALID', place: { path: field } });
    await expect(failed).rejects.not.toThrow('nobody');
  }
  expect(await rollcall.canEmail('early@example.com')).toBe(true);
  expect(await rollcall.canEmail('nobody@example.com')).toBe(false);
  await expect(rollcall.connectors.connect('firebase' as 'supabase')).rejects.toMatchObject({
    code: 'RC_CONNECTOR_UNKNOWN',
  });
}, 60_000);
