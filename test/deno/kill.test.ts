import { expect, test } from 'vitest';
import { SHORT_TIMES, startEdgeFunction } from '../support/edge-function.ts';
import { eventually, expectInStep, signUpMany } from '../support/people.ts';
import { createWorld, type World } from '../support/world.ts';

const SIGN_UPS = 150;

const count = async (world: World, query: string): Promise<number> =>
  Number((await world.db.app.query<{ n: string }>(`select count(*) as n from ${query}`)).rows[0]?.n);

/** How far an invocation has come when it is killed. */
const STAGES: readonly (readonly [string, (world: World) => boolean | Promise<boolean>, destination?: string])[] = [
  ['once it has begun to fold', async (world) => (await count(world, 'rollcall.due')) > 0],
  ['with contacts under lease', async (world) => (await count(world, 'rollcall.due q where q.token is not null')) > 0],
  ['with requests in flight', (world) => world.sandbox.state.contacts().length > 0],
  [
    'while a request for many is at work',
    async (world) => (await count(world, `rollcall.jobs j where j.state = 'running'`)) > 0,
    'import_from: 100',
  ],
  ['between sending and settling', async (world) => (await count(world, 'rollcall.attempts')) > SIGN_UPS / 10],
];

test.each(STAGES.map(([stage, reached, destination = '']) => ({ stage, reached, destination })))(
  'an invocation that is killed $stage loses nothing',
  async ({ reached, destination }) => {
    const world = await createWorld({
      destination,
      more: 'brakes: off',
      sandbox: { faults: [{ latencyMs: 30 }], jobStepMs: 500 },
    });
    const first = await startEdgeFunction(world.yaml, { types: ['mailtrap'], options: SHORT_TIMES });
    await signUpMany(world, SIGN_UPS);
    const dying = first.tick().then(
      () => 'ended',
      () => 'killed',
    );
    await eventually(() => reached(world));
    await first.kill();
    expect(await dying).toBe('killed');

    const second = await startEdgeFunction(world.yaml, { types: ['mailtrap'], options: SHORT_TIMES });
    // As the cron job asks: while there is something to do.
    await eventually(async () => {
      await second.tick();
      return (await world.db.app.query<{ quiet: boolean }>('select rollcall.work_in(true) is null as quiet')).rows[0]!
        .quiet;
    });
    await world.settled(1_000);
    await expectInStep(world);
  },
);
