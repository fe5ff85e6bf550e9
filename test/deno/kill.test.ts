import { expect, test } from 'vitest';
import { startEdgeFunction } from '../support/edge-function.ts';
import { eventually, expectInStep, signUpMany } from '../support/people.ts';
import { createWorld, type World } from '../support/world.ts';

const TIMES = `times: { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 },`;
const SIGN_UPS = 300;

const count = async (world: World, query: string): Promise<number> =>
  Number((await world.db.app.query<{ n: string }>(`select count(*) as n from ${query}`)).rows[0]?.n);

/** How far an invocation has come when it is killed. */
const STAGES: readonly (readonly [string, (world: World) => boolean | Promise<boolean>])[] = [
  ['as it starts', () => true],
  ['once it has begun to fold', async (world) => (await count(world, 'rollcall.due')) > 0],
  ['with contacts under lease', async (world) => (await count(world, 'rollcall.due q where q.token is not null')) > 0],
  ['with requests in flight', (world) => world.sandbox.state.contacts().length > 0],
  ['between sending and settling', async (world) => (await count(world, 'rollcall.attempts')) > SIGN_UPS / 10],
];

test.each(STAGES)(
  'an invocation that is killed %s loses nothing',
  async (_stage, reached) => {
    const world = await createWorld({ more: 'brakes: off', sandbox: { faults: [{ latencyMs: 30 }] } });
    const first = await startEdgeFunction(world.yaml, { types: ['mailtrap'], options: TIMES });
    await signUpMany(world, SIGN_UPS);
    const dying = first.tick().then(
      () => 'ended',
      () => 'killed',
    );
    await eventually(() => reached(world));
    await first.kill();
    expect(await dying).toBe('killed');

    const second = await startEdgeFunction(world.yaml, { types: ['mailtrap'], options: TIMES });
    // As the cron job asks: while there is something to do.
    await eventually(async () => {
      await second.tick();
      return (await world.db.app.query<{ quiet: boolean }>('select rollcall.work_in() is null as quiet')).rows[0]!
        .quiet;
    }, 60_000);
    await world.settled(1_000);
    await expectInStep(world);
  },
  120_000,
);
