import { expect, test } from 'vitest';
import { startEdgeFunction } from '../support/edge-function.ts';
import { expectInStep, signUpMany } from '../support/people.ts';
import { createWorld } from '../support/world.ts';

/** `ROLLCALL_EDGE_SIGNUPS=10000` for as many as the issue names; docs/edge.md has what that took. */
const SIGN_UPS = Number(process.env['ROLLCALL_EDGE_SIGNUPS'] ?? 1_000);

test('sign-ups reach in step through ticks, each within what the platform allows', async () => {
  const world = await createWorld({ more: 'brakes: off' });
  const edge = await startEdgeFunction(world.yaml, { types: ['mailtrap'] });
  const startMs = edge.cpuMs();
  const ticks: { cpu: number; wall: number; ended: string; own: number | undefined }[] = [];
  await signUpMany(world, SIGN_UPS);
  for (let more = true; more;) {
    const before = edge.cpuMs();
    const ran = await edge.tick();
    ticks.push({ cpu: edge.cpuMs() - before, wall: ran.wallMs, ended: ran.ended, own: ran.cpuMs });
    ({ more } = ran);
    if (ticks.length > 200) break;
  }
  if (process.env['ROLLCALL_EDGE_SIGNUPS'] !== undefined)
    console.log(JSON.stringify({ startMs, ticks, peakMb: edge.peakMb() }));
  await world.settled(1_000);
  await expectInStep(world);
  expect(Math.max(...ticks.map(({ cpu }) => cpu))).toBeLessThan(2_000);
  expect(edge.peakMb()).toBeLessThan(256);
}, 600_000);
