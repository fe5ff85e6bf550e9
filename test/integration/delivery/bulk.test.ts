import { expect, test } from 'vitest';
import type { SandboxCall } from '../../../src/sandbox/call-log.ts';
import { eventually, expectInStep, signUpMany } from '../../support/people.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import { createWorld, type World } from '../../support/world.ts';

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };
const IMPORTS = /\/imports$/;

const of = (world: World, method: string, path: RegExp): readonly SandboxCall[] =>
  world.sandbox.state.calls().filter((call) => call.method === method && path.test(call.path));
const imports = (world: World): readonly SandboxCall[] => of(world, 'POST', IMPORTS);
const addressesIn = (call: SandboxCall): readonly string[] =>
  (JSON.parse(call.body) as { contacts: { email: string }[] }).contacts.map((c) => c.email);

async function jobs(world: World, state?: string): Promise<number> {
  const { rows } = await world.db.app.query<{ n: number }>(
    'select count(*)::int as n from rollcall.jobs where $1::text is null or state = $1',
    [state ?? null],
  );
  return rows[0]!.n;
}

async function patch(world: World, email: string, contact: object): Promise<void> {
  await fetch(`${world.sandbox.apiUrl}/api/contacts/${encodeURIComponent(email)}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${world.sandbox.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contact: { email, ...contact } }),
  });
}

async function edit(world: World, n: number, ...emails: readonly string[]): Promise<void> {
  await world.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('n', $1::int) where email = any($2)`,
    [n, emails],
  );
}

test('many that wait go in one import, a few one by one; who was imported is not put on the list again', async () => {
  const world = await createWorld({ destination: 'import_from: 100\nlists: [Users]', sandbox: { jobStepMs: 50 } });
  const list = world.sandbox.state.addList('Users').id;
  const worker = await world.start();
  await signUpMany(world, 150);
  await world.settled();
  await expectInStep(world);
  expect(imports(world).flatMap(addressesIn)).toHaveLength(150);
  expect(imports(world).length).toBeLessThanOrEqual(2);
  expect(of(world, 'PATCH', /./)).toEqual([]);
  await patch(world, 'p7@example.com', { list_ids_excluded: [list] });
  await edit(world, 1, 'p7@example.com', 'p8@example.com');
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contact('p7@example.com')?.list_ids).toEqual([]);
  expect(world.sandbox.state.contact('p8@example.com')?.list_ids).toEqual([list]);
  expect(imports(world).length).toBeLessThanOrEqual(2);
  // Who was imported moves and leaves as anybody does.
  await world.db.app.query(`update auth.users set email = 'moved@example.com' where email = 'p9@example.com';
    delete from auth.users where email in ('p8@example.com', 'p10@example.com')`);
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contact('moved@example.com')?.list_ids).toEqual([list]);
  await worker.stop();
});

test('rows that are refused become dead letters of their own, and the others go without them', async () => {
  const world = await createWorld({
    destination: 'import_from: 20',
    sandbox: { jobStepMs: 20, faults: [{ reject: 'p3@example.com' }, { reject: 'p5@example.com' }] },
  });
  await world.start();
  await signUpMany(world, 60);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(58);
  const [destination] = (await world.status()).destinations;
  expect(destination).toMatchObject({ in_step: 58, failed: 2 });
  expect(destination!.causes).toMatchObject([{ stage: 'deliver', code: 'invalid_email', count: 2 }]);
});

test('a refusal that names nobody: whom it is about is found by halves, and holds up nobody else', async () => {
  const world = await createWorld({
    destination: 'import_from: 8',
    sandbox: {
      jobStepMs: 10,
      faults: [
        { match: { method: 'POST', path: '/imports$', email: 'p3@example.com' }, status: 422 },
        { reject: 'p3@example.com' },
      ],
    },
  });
  await world.start();
  await signUpMany(world, 40);
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(39);
  expect((await world.status()).destinations[0]).toMatchObject({ in_step: 39, failed: 1 });
});

test('who has not agreed goes alone, with the opt-out in the request', async () => {
  const world = await createWorld({
    destination: 'import_from: 20',
    consent: '{ column: user_metadata.agreed }',
    sandbox: { jobStepMs: 20 },
  });
  await world.start();
  await world.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com', jsonb_build_object('agreed', i % 10 <> 0), now() from generate_series(1, 100) i`,
  );
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(100);
  expect(
    world.sandbox.state
      .contacts()
      .filter((c) => c.status === 'unsubscribed')
      .map((c) => c.email)
      .toSorted(),
  ).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((n) => `p${n}@example.com`).toSorted());
  expect(imports(world).flatMap(addressesIn)).toHaveLength(90);
});

test('a change while its import is at work is sent after the import, never before its end', async () => {
  const world = await createWorld({ destination: 'import_from: 50', sandbox: { jobStepMs: 600_000 } });
  await world.start();
  await signUpMany(world, 100);
  await eventually(async () => (await jobs(world, 'running')) === 1);
  await edit(world, 1, 'p9@example.com');
  await world.signUp('live@example.com', { full_name: 'Live' });
  // Polls take the import on, so what is not sent before its end is seen by order.
  await world.settled();
  const state = world.sandbox.state.contact('p9@example.com');
  expect(state?.fields['N']).toBe('1');
  const patched = of(world, 'PATCH', /p9%40/);
  const ended = of(world, 'GET', /\/imports\/\d+$/).at(-1)!;
  expect(patched).toHaveLength(1);
  expect(patched[0]!.at - patched[0]!.ms).toBeGreaterThanOrEqual(ended.at);
});

test("a killed worker's import is picked up by the next one, and not begun twice", async () => {
  const world = await createWorld({
    destination: 'import_from: 50',
    sandbox: { jobStepMs: 600_000, faults: [{ match: { method: 'GET', path: '/imports/' }, status: 500 }] },
  });
  const first = await startWorkerProcess(world.yaml, TIMES);
  await signUpMany(world, 200);
  await eventually(async () => (await jobs(world, 'running')) === 1);
  first.signal('SIGKILL');
  await first.ended;
  world.sandbox.clearFaults();
  await startWorkerProcess(world.yaml, TIMES);
  await world.settled();
  await expectInStep(world);
  expect(imports(world)).toHaveLength(1);
  expect(await jobs(world)).toBe(0);
});

test('a worker killed while it begins an import: its contacts are sent anew, and once more after the grace', async () => {
  const world = await createWorld({
    destination: 'import_from: 50',
    grace: '200ms',
    sandbox: {
      jobStepMs: 20,
      faults: [{ match: { method: 'POST', path: '/imports$' }, latencyMs: 5_000, latencyAt: 'after', count: 1 }],
    },
  });
  const first = await startWorkerProcess(world.yaml, TIMES);
  await signUpMany(world, 100);
  await eventually(async () => (await jobs(world, 'sending')) === 1);
  await eventually(() => world.sandbox.state.counters().calls >= 0);
  first.signal('SIGKILL');
  await first.ended;
  await startWorkerProcess(world.yaml, TIMES);
  await world.settled();
  await expectInStep(world);
  expect(world.sandbox.state.contactCount).toBe(100);
});

test('no room for some: the destination is paused, nobody is a dead letter', async () => {
  const world = await createWorld({ destination: 'import_from: 20', sandbox: { jobStepMs: 10, maxContacts: 30 } });
  await world.start();
  await signUpMany(world, 60);
  await eventually(async () => (await world.status()).destinations[0]?.pause_code === 'plan_limit');
  expect(world.sandbox.state.contactCount).toBe(30);
  expect((await world.status()).destinations[0]).toMatchObject({ failed: 0 });
});
