import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planDatabase, planDestinations } from '../../../src/cli/apply-plan.ts';
import { createTally, type PlannedDestination } from '../../../src/cli/plan-tally.ts';
import type { Config } from '../../../src/config/types.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { createFields } from '../../../src/engine/fields.ts';
import { perform } from '../../../src/engine/perform.ts';
import type { Claimed, Send } from '../../../src/engine/ports.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import { uninstall } from '../../../src/sql/apply.ts';
import { adjustedPlan } from '../../../src/sql/compile/adjustment.ts';
import { openPg } from '../../../src/sql/pg.ts';
import { planPeople } from '../../../src/sql/plan/run.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { createUndiciSend } from '../../../src/transport/undici.ts';
import { createLastingDatabase, type TestDatabase } from '../../support/database.ts';
import { install } from '../../support/install.ts';
import { everyLane, LEASE, REF, silent } from '../database/support.ts';
import { configOf, ERASURE_KEY, happens, history, TABLES } from './worlds.ts';

/** Worlds are steps of histories: a first install, and what follows it. */
const HISTORIES = Number(process.env['ROLLCALL_PLAN_HISTORIES'] ?? 2);

/** The same by default; others where more are asked for. Of some 90 worlds one is told otherwise yet: see docs/plan.md, "Addresses that change hands". */
const SEED = process.env['ROLLCALL_PLAN_HISTORIES'] === undefined ? { seed: 9 } : {};

/** A world takes a second, and ten on a busy machine. */
const PATIENCE_MS = Math.max(180_000, HISTORIES * 60_000);

let db: TestDatabase;
let end: () => Promise<void>;
let sandbox: Sandbox;
let transport: { readonly send: Send; close(): Promise<void> };

beforeAll(async () => {
  [db, end] = await createLastingDatabase();
  await db.app.query(TABLES);
  sandbox = await startSandbox({ only: ['mailtrap', 'brevo'], limitsScale: Infinity });
  transport = createUndiciSend({ allowPrivate: true });
});

afterAll(async () => {
  await transport.close();
  await sandbox.close();
  await end();
});

/** What is sent for each contact, by its destination and its key: method, path and body. */
type Calls = ReadonlyMap<string, readonly string[]>;

interface Said {
  readonly calls: Calls;
  readonly destinations: Readonly<Record<string, PlannedDestination>>;
}

async function planned(config: Config): Promise<Said> {
  const { installed, sources, attributes } = await planDatabase(db.sql, config);
  const calls = new Map<string, readonly string[]>();
  const tallies = new Map(
    config.destinations.map((entry) => {
      const destination = registry.find(({ id }) => id === entry.type)!;
      const plan = adjustedPlan(attributes, entry.adjustment, config.file);
      return [entry.name, createTally({ destination, config: entry.options, plan })];
    }),
  );
  // As a command does: a session that keeps the plans of many installs that were rolled back takes seconds for each next one.
  const sql = openPg({ url: db.hostedUrl });
  await planPeople(sql, config, sources, {
    installed: installed !== undefined,
    forgotten: [],
    mended: [],
    onProgress: () => undefined,
    onRow: (row, name, weight) => {
      const foretold = tallies.get(name)?.add(row, weight);
      const base = new URL(sandbox.of(name).url).pathname;
      const lines =
        foretold?.calls.map(({ method, path, request }) =>
          line(method, path.replace(base, ''), request().body ?? ''),
        ) ?? [];
      if (lines.length > 0) calls.set(`${name} ${row.key}`, lines);
    },
  });
  await sql.close();
  return { calls, destinations: Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.result()])) };
}

interface Did {
  /** Of the first attempt of each. */
  readonly calls: Calls;
  /** Those whose first attempt was not accepted: what follows it is an answer to what the destination said. */
  readonly refused: ReadonlySet<string>;
}

/** Applies, folds what the triggers saw, looks at everybody, and sends: as `apply` and a worker do. */
async function synced(config: Config, begun: boolean): Promise<Did> {
  await install({ ...db, begun }, config, REF);
  const store = createStore(db.sql, {
    configHash: config.hash,
    projectRef: REF,
    environment: config.environment,
    erasureKey: ERASURE_KEY,
  });
  const folded = async (): Promise<void> => {
    while ((await store.fold(1_000)).taken > 0);
  };
  await folded();
  await sweep(
    { store, log: silent, everyMs: 3_600_000, onFolded: () => undefined },
    true,
    new AbortController().signal,
  );
  await folded();
  await walk(config);
  const calls = new Map<string, readonly string[]>();
  const refused = new Set<string>();
  for (const state of await store.destinations()) {
    const entry = config.destinations.find(({ name }) => name === state.name);
    if (entry === undefined) continue;
    const destination = registry.find(({ id }) => id === entry.type)!;
    const send = (delivery: Claimed): ReturnType<typeof perform> =>
      perform(delivery, {
        destination,
        config: entry.options,
        plan: state.plan,
        bytesPerRequest: undefined,
        send: transport.send,
        eventsAtMostOnce: false,
        permit: () => Promise.resolve(true),
        deadlineMs: () => 10_000,
        onMistake: (error) => {
          throw error as Error;
        },
      });
    for (;;) {
      // Whoever gives way waits for a look at who has the address, and whoever failed for the next try.
      await db.app.query(
        'update rollcall.due set due_at = clock_timestamp() where due_at > clock_timestamp() and token is null',
      );
      const lease = { token: randomUUID(), ...LEASE };
      const claimed = await store.claim(state.id, lease, everyLane(100));
      if (claimed.length === 0) break;
      const { rows } = await db.app.query<{ id: string; key: string }>(
        'select c.id::text, c.key from rollcall.contacts c where c.id = any($1::bigint[])',
        [claimed.map(({ contactId }) => contactId)],
      );
      for (const delivery of claimed) {
        const who = `${state.name} ${rows.find(({ id }) => id === delivery.contactId)?.key}`;
        const before = sandbox.calls().at(-1)?.n ?? 0;
        const performed = await send(delivery);
        if (!performed.begun) throw new Error('not begun');
        const { state: done } = performed;
        const lines = sandbox
          .calls()
          .filter(({ n }) => n > before)
          .map((call) => line(call.method, call.path, call.body));
        if (!refused.has(who) && lines.length > 0) calls.set(who, [...(calls.get(who) ?? []), ...lines]);
        if (done !== undefined && done.outcome.kind !== 'delivered') refused.add(who);
        await store.settle(state.id, lease, [
          {
            delivery,
            outcome: done?.outcome,
            waitMs: 0,
            latencyMs: 1,
            partial: done?.partial,
            foundAt: done?.foundAt,
          },
        ]);
      }
      await folded();
    }
  }
  return { calls, refused };
}

/** Attributes come in another order from the database than from its tables. */
function line(method: string, path: string, body: string): string {
  if (body === '') return `${method} ${path}`;
  const sorted = (value: unknown): unknown =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([k, v]) => [k, sorted(v)]),
        );
  return `${method} ${path} ${JSON.stringify(sorted(JSON.parse(body)))}`;
}

/** What is said after a look at the destination is up to what it answers. */
function told(lines: readonly string[]): readonly string[] {
  const read = lines.findIndex((each) => each.startsWith('GET '));
  return read === -1
    ? lines
    : [...lines.slice(0, read + 1), ...lines.slice(read + 1, read + 2).map((each) => each.split(' ', 2).join(' '))];
}

/** `rollcall sync --full`, up to what is sent. */
async function walk({ hash }: Config): Promise<void> {
  const holder = randomUUID();
  await db.app.query(`select rollcall.with_key('', $1), rollcall.begin_backfill('full', null, null, null, $2)`, [
    ERASURE_KEY,
    hash,
  ]);
  const { rows } = await db.app.query<{ id: number }>(`select rollcall.hold_backfill($1, interval '1 minute') as id`, [
    holder,
  ]);
  for (let walked = false; !walked;) {
    const page = await db.app.query<{ walked: boolean }>(
      `select * from rollcall.backfill_page(rollcall.with_key($1::text, $5)::int, $2, interval '1 minute', 1000, $3) x where $4`,
      [rows[0]?.id, holder, hash, true, ERASURE_KEY],
    );
    walked = page.rows[0]?.walked !== false;
  }
  await db.app.query('update rollcall.backfills set ended_at = clock_timestamp() where ended_at is null');
}

/** What was said, cut where the destination refused to go on. */
function upTo({ calls, refused }: Did, said: Calls): Calls {
  return new Map(
    [...said].map(([who, lines]) => [who, refused.has(who) ? lines.slice(0, calls.get(who)?.length) : lines]),
  );
}

const inOrder = (calls: Calls): object =>
  Object.fromEntries([...calls].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([who, lines]) => [who, told(lines)]));

test(
  'what a plan says is what the sync then does, call for call',
  async () => {
    const seen = { create: 0, update: 0, delete: 0, unsubscribe: 0, unchanged: 0, skipped: 0, left_there: 0 };
    let [worlds, refusals] = [0, 0];
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        await uninstall(db.sql);
        await db.app.query('truncate auth.users cascade; truncate public.leads, public.profiles');
        sandbox.reset();
        for (const [step, { happenings, shape }] of steps.entries()) {
          const config = configOf(shape, db, sandbox);
          for (const each of happenings) await happens(db, each, ERASURE_KEY);
          await makeFields(config);
          const said = await planned(config);
          const did = await synced(config, step > 0);
          expect(inOrder(upTo(did, said.calls))).toEqual(inOrder(did.calls));
          for (const { people } of Object.values(said.destinations))
            for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += people[state];
          const counted = Object.values(said.destinations).flatMap(({ calls }) => calls.map(({ count }) => count));
          const lines = [...said.calls.values()].reduce((sum, each) => sum + each.length, 0);
          expect(counted.reduce((sum, n) => sum + n, 0)).toBe(lines);
          worlds += 1;
          refusals += did.refused.size;
        }
      }),
      { numRuns: HISTORIES, endOnFailure: true, ...SEED },
    );
    expect(worlds).toBeGreaterThanOrEqual(HISTORIES * 5);
    expect(refusals).toBeLessThan(worlds);
    // Nothing of it would say anything if it never happened; in a few worlds not everything does.
    if (HISTORIES >= 10) expect(Object.entries(seen).filter(([, n]) => n === 0)).toEqual([]);
  },
  PATIENCE_MS,
);

async function makeFields(config: Config): Promise<void> {
  const { attributes } = await planDatabase(db.sql, config);
  const plans = await planDestinations(
    { config, problems: new Map() },
    () => true,
    attributes,
    transport.send,
    () => undefined,
  );
  for (const { fields } of plans) if (fields !== undefined) await createFields(fields.access, fields.changes.create);
}
