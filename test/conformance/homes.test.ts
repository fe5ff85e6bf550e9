import { expect, test } from 'vitest';
import type { Destination } from '../../src/core/destination.ts';
import { registry } from '../../src/destinations/registry.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { ShownContact, StandIn } from '../../src/sandbox/stand-in.ts';
import { onCleanup } from '../support/database.ts';
import { startEdgeHome } from '../support/edge-function.ts';
import { startSqlHome } from '../support/sql-home.ts';
import { PATIENCE_MS, signUpMany } from '../support/people.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { createWorld, type World } from '../support/world.ts';

type Home = Destination<unknown>['capabilities']['homes'][number];

const TIMES = { leaseMs: 3_000, requestMs: 1_500, settleMs: 300, leastRequestMs: 300, upkeepEveryMs: 200 };
const PEOPLE = 120;
const FIELDS = ['FIRSTNAME', 'N'];

/** A process that delivers. */
interface Running {
  signal(name: 'SIGKILL'): void;
  readonly ended: Promise<number | string>;
}

/** What runs a home. A destination that claims one which is not here fails its test. */
const START: Partial<Record<Home, (world: World, type: string) => Promise<Running>>> = {
  worker: (world) => startWorkerProcess(world.yaml, TIMES),
  edge: (world, type) => startEdgeHome(world.yaml, type),
  sql: startSqlHome,
};

const claimed = registry
  // Tajo is Brevo's API under its own name: what Brevo does in a home it does too.
  .filter(({ id, draft }) => draft !== true && id !== 'tajo')
  .flatMap((destination) =>
    destination.capabilities.homes.map((home) => ({ id: destination.id, home, destination, start: START[home] })),
  );

test.each(claimed)(
  '$id, $home: sign-ups, a kill, edits, moves, deletions and opt-outs end in step',
  async ({ destination, home, start }) => {
    expect(start).toBeDefined();
    const { world, standIn, until } = await worldOf(destination);
    const first = await start!(world, destination.id);
    await signUpMany(world, 12);
    await world.settled();
    await signUpMany(world, PEOPLE - 12, 13);
    await until(() => standIn.contactCount > PEOPLE / 4);
    first.signal('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    expect(await rows(world, 'select 1 from rollcall.due limit 1'), 'killed in the middle of it').toHaveLength(1);

    // While nobody works: some who are known to have arrived leave at the vendor, and then edit or move.
    const arrived = await rows(
      world,
      `select address from rollcall.desired where delivered_version = version order by address limit 6`,
    );
    const left = arrived.map(({ address }) => address);
    expect(left).toHaveLength(6);
    const tells = destination.capabilities.consent.tell;
    if (tells) for (const address of left) standIn.optOut(address, 'unsubscribe');
    const sql = world.db.app;
    await sql.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": "edited"}' where email like 'p%7@example.com'`,
    );
    await sql.query(
      `update auth.users set raw_user_meta_data = raw_user_meta_data || '{"n": "left"}' where email = any($1)`,
      [left],
    );
    await sql.query(
      `update auth.users set email = 'moved-' || email where email = any($1) or email like 'p%5@example.com'`,
      [left.slice(0, 3)],
    );
    await sql.query(`delete from auth.users where email like 'p%3@example.com' and email <> all($1)`, [left]);

    await start!(world, destination.id);
    await world.settled();
    const now = left.map((address, n) => (n < 3 ? `moved-${address}` : address));
    // Where nothing that can be sent keeps a contact unsubscribed, whoever left may not be there at all.
    const { options } = world.config.destinations[0]!;
    const gone = home === 'sql' && destination.declare?.(options).tellsOptOut === false ? now : [];
    await expectThere(world, destination, standIn, gone);
    if (tells) {
      const mailed = [...standIn.contacts()].filter(({ status }) => status === 'subscribed');
      expect(mailed.filter(({ address }) => [...now, ...left].includes(address))).toEqual([]);
      expect(mailed.length).toBeGreaterThan(PEOPLE / 2);
    }
  },
);

/** A database and one destination's stand-in. */
async function worldOf(
  destination: Destination<unknown>,
): Promise<{ world: World; standIn: StandIn; until: (condition: () => boolean) => Promise<void> }> {
  const { id, fields } = destination;
  const faults = [{ latencyMs: 10 }];
  const sandbox = await startSandbox({ only: [id], limitsScale: Infinity, keepCalls: 100, faults });
  onCleanup(() => sandbox.close());
  const { url, token, standIn } = sandbox.of(id);
  if (fields !== undefined) {
    const there = new Set(standIn.fields().map(({ name }) => name));
    for (const name of FIELDS) if (!there.has(name)) standIn.addField(name, fields.typeFor('text'));
  }
  const options = destination.standIn(url, token);
  const scaled = { ...options, limits_scale: 10_000 };
  const entry = destination.config.safeParse(scaled).success ? scaled : options;
  const world = await createWorld({ instead: `${id}: ${JSON.stringify(entry)}`, more: 'brakes: off' });
  return { world, standIn, until: (condition) => sandbox.until(condition, PATIENCE_MS) };
}

async function rows(
  world: World,
  query: string,
): Promise<{ address: string; name: string | null; n: string | null }[]> {
  return (await world.db.app.query<{ address: string; name: string | null; n: string | null }>(query)).rows;
}

async function expectThere(
  world: World,
  { capabilities }: Destination<unknown>,
  standIn: StandIn,
  gone: readonly string[],
): Promise<void> {
  const people = await rows(
    world,
    `select lower(email) as address, raw_user_meta_data ->> 'full_name' as name, raw_user_meta_data ->> 'n' as n
       from auth.users`,
  );
  const wanted = people
    .filter(({ address }) => !gone.includes(address))
    .map(({ address, name, n }) => JSON.stringify([address, name, n]))
    .toSorted();
  // Where nothing is ever removed for good, whoever left stands there and is not mailed.
  const kept = [...standIn.contacts()].filter(
    ({ address, status }) =>
      !gone.includes(address) &&
      (capabilities.remove === 'hard' ||
        status === 'subscribed' ||
        people.some((person) => person.address === address)),
  );
  expect(kept.map(line).toSorted()).toEqual(wanted);
}

function line({ address, attributes }: ShownContact): string {
  return JSON.stringify([address.toLowerCase(), attributes['FIRSTNAME'] ?? null, attributes['N'] ?? null]);
}
