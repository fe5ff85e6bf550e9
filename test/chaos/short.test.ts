import { expect, test } from 'vitest';
import type { FaultRule } from '../../src/sandbox/faults.ts';
import { seededRandom } from '../../src/sandbox/seeded-random.ts';
import { bodyOf, expectInStep } from '../support/people.ts';
import { story } from './story.ts';
import { createWorld, type RunningWorker, type World } from '../support/world.ts';

/** Times that let a run of seconds see leases end and graces pass. */
const TIMES = { leaseMs: 2_500, requestMs: 800, settleMs: 300, leastRequestMs: 200, upkeepEveryMs: 200 };
const ROUNDS = 25;
const PEOPLE = 40;

const seed = Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1);

test(
  'three workers, people who come, edit, move and go, a destination that fails in every way: in step when it is quiet',
  { timeout: 120_000 },
  async () => {
    const random = seededRandom(seed);
    const world = await createWorld({ grace: '1s', more: 'brakes: off', sandbox: { seed, keepCalls: 50_000 } });
    const start = (): Promise<RunningWorker> => world.start(world.config, { times: TIMES });
    const workers = [await start(), await start(), await start()];
    const suppressed = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) {
      world.sandbox.clearFaults();
      world.sandbox.addFaults(anyFaults(random));
      for (let n = 0; n < 8; n += 1) await anything(world, random);
      if (random() < 0.3) {
        const found = world.sandbox.state.contacts();
        const one = found[Math.floor(random() * found.length)]?.email;
        if (one !== undefined) {
          world.sandbox.state.suppress(one);
          suppressed.add(one);
        }
      }
      if (random() < 0.15) {
        const at = Math.floor(random() * workers.length);
        await workers[at]!.stop();
        workers[at] = await start();
      }
      if (random() < 0.15) {
        await world.db.app.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'hosted' and datname = current_database() and random() < 0.5`,
        );
      }
      await new Promise((resolve) => {
        setTimeout(resolve, random() * 300);
      });
    }
    world.sandbox.clearFaults();
    const name = `ROLLCALL_CHAOS_SEED=${seed}`;
    await world.settled(40_000).catch((cause: unknown) => {
      throw new Error(name, { cause });
    });
    await expectInStep(world).catch(async (cause: unknown) => {
      throw new Error(`${name}\n${await story(world)}`, { cause });
    });
    const left = new Set(world.sandbox.state.suppressions().map(({ email }) => email));
    expect(
      [...suppressed].filter((email) => !left.has(email)),
      name,
    ).toEqual([]);
    expect(
      world.sandbox.state.calls().filter((call) => bodyOf(call)?.unsubscribed === false),
      name,
    ).toEqual([]);
    expect((await world.status()).destinations[0], name).toMatchObject({ failed: 0, pending: 0, pause_code: null });
  },
);

function anyFaults(random: () => number): FaultRule[] {
  const all: FaultRule[] = [
    { status: 500, rate: 0.3 },
    { status: 429, retryAfter: 1, rate: 0.05 },
    { status: 503, rate: 0.2 },
    { drop: 'before', rate: 0.2 },
    { drop: 'after', rate: 0.2 },
    { latencyMs: 300, rate: 0.3 },
    { latencyMs: 1_000, latencyAt: 'after', rate: 0.1 },
    { latencyMs: 1_000, latencyAt: 'before', rate: 0.1 },
    { body: 'malformed', rate: 0.1 },
  ];
  return all.filter(() => random() < 0.25);
}

/** One thing that happens in the app, in one transaction. */
async function anything(world: World, random: () => number): Promise<void> {
  const pick = (): string => `c${Math.floor(random() * PEOPLE)}@example.com`;
  const kind = random();
  const [one, other, n] = [pick(), pick(), Math.floor(random() * 1_000)];
  if (kind < 0.35) {
    await run(
      world,
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       values (gen_random_uuid(), $1, jsonb_build_object('full_name', 'N' || $2::int, 'n', $2::int), now()) on conflict do nothing`,
      [one, n],
    );
  } else if (kind < 0.65) {
    await run(
      world,
      `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', 'N' || $2::int, 'n', $2::int) where email = $1`,
      [one, n],
    );
  } else if (kind < 0.8) {
    await run(world, `delete from auth.users where email = $1`, [one]);
  } else if (kind < 0.93) {
    await run(
      world,
      `update auth.users set email = $2 where email = $1 and not exists (select from auth.users where email = $2)`,
      [one, other],
    );
  } else {
    // Two people change places in one transaction, one of them by way of a third address.
    await run(
      world,
      `do $$ begin
         update auth.users set email = 'between@example.com' where email = '${one}';
         update auth.users set email = '${one}' where email = '${other}';
         update auth.users set email = '${other}' where email = 'between@example.com';
       end $$`,
      [],
    );
  }
}

async function run(world: World, text: string, values: readonly unknown[]): Promise<void> {
  await world.db.app.query(text, [...values]);
}
