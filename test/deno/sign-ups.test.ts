import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { onCleanup } from '../support/database.ts';
import { startEdgeFunction } from '../support/edge-function.ts';
import { EDGE_KEY } from '../support/spawn-edge.ts';
import { eventually, expectInStep, signUpMany } from '../support/people.ts';
import { createWorld } from '../support/world.ts';

/** `ROLLCALL_EDGE_SIGNUPS=10000` for as many as the issue names; docs/edge.md has what that took. */
const SIGN_UPS = Number(process.env['ROLLCALL_EDGE_SIGNUPS'] ?? 400);

test.each([
  ['one by one', ''],
  ['many in one request, asked about until it has ended', 'import_from: 100'],
])(
  'sign-ups reach in step through ticks, each within what the platform allows: %s',
  async (_how, destination) => {
    const world = await createWorld({ destination, more: 'brakes: off', sandbox: { jobStepMs: 100 } });
    const edge = await startEdgeFunction(world.yaml, { types: ['mailtrap'] });
    const startMs = edge.cpuMs();
    const ticks: { cpu: number; own: number | undefined; wall: number; ended: string }[] = [];
    await signUpMany(world, SIGN_UPS);
    for (let more = true; more;) {
      const before = edge.cpuMs();
      const ran = await edge.tick();
      ticks.push({ cpu: edge.cpuMs() - before, own: ran.cpuMs, wall: ran.wallMs, ended: ran.ended });
      ({ more } = ran);
    }
    const peakMb = edge.peakMb();
    if (process.env['ROLLCALL_EDGE_SIGNUPS'] !== undefined) {
      console.log(JSON.stringify({ startMs, ticks, peakMb }));
      // The isolate's start is of its first request.
      expect(startMs + (ticks[0]?.cpu ?? 0)).toBeLessThan(2_000);
    }
    await world.settled(1_000);
    await expectInStep(world);
    expect(Math.max(...ticks.map(({ cpu }) => cpu))).toBeLessThan(2_000);
    expect(peakMb).toBeLessThan(256);
  },
  300_000,
);

test('two invocations at once share the work: nobody is sent twice', async () => {
  const world = await createWorld({ more: 'brakes: off' });
  const both = await Promise.all([1, 2].map(() => startEdgeFunction(world.yaml, { types: ['mailtrap'] })));
  await signUpMany(world, 300);
  await Promise.all(both.map((edge) => edge.tick()));
  await world.settled();
  await expectInStep(world);
  const { rows } = await world.db.app.query('select count(*)::int as attempts from rollcall.attempts');
  expect(rows).toEqual([{ attempts: 300 }]);
}, 60_000);

test('an invocation whose budget is over calls another one, without data; where the platform can it is answered early', async () => {
  const called: { path: string | undefined; key: unknown; body: string }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      called.push({ path: request.url, key: request.headers['apikey'], body: await text(request) });
      response.writeHead(202).end();
    })();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onCleanup(async () => {
    await new Promise((done) => server.close(done));
  });
  const world = await createWorld({ more: 'brakes: off', sandbox: { faults: [{ latencyMs: 100 }] } });
  await signUpMany(world, 400);
  const edge = await startEdgeFunction(world.yaml, {
    types: ['mailtrap'],
    env: { ROLLCALL_EDGE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/functions/v1/rollcall` },
    // As the platform has it: see src/homes/edge/platform.ts.
    options: 'budget: { cpuMs: 1 }, ...(globalThis.EdgeRuntime = { waitUntil: () => {} }, {}),',
  });
  const answer = await edge.post('/tick');
  expect([answer.status, await answer.json()]).toEqual([202, { ok: true }]);
  await eventually(() => called.length > 0);
  expect(called).toEqual([{ path: '/functions/v1/rollcall/tick', key: EDGE_KEY, body: '' }]);
  // It gave back what it had in hand.
  const { rows } = await world.db.app.query('select from rollcall.due where token is not null');
  expect(rows).toEqual([]);
}, 60_000);
