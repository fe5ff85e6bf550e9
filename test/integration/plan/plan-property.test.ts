import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planDatabase, planDestinations } from '../../../src/cli/apply-plan.ts';
import { createTally, type PlannedDestination } from '../../../src/cli/plan-tally.ts';
import type { Config } from '../../../src/config/types.ts';
import { registry } from '../../../src/destinations/registry.ts';
import { createFields } from '../../../src/engine/fields.ts';
import { perform } from '../../../src/engine/perform.ts';
import type { Send } from '../../../src/engine/ports.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { startSandbox } from '../../../src/sandbox/start.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import { applyInstall, uninstall } from '../../../src/sql/apply.ts';
import { adjustedPlan } from '../../../src/sql/compile/adjustment.ts';
import { planPeople } from '../../../src/sql/plan/run.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { createUndiciSend } from '../../../src/transport/undici.ts';
import { createLastingDatabase, type TestDatabase } from '../../support/database.ts';
import { everyLane, LEASE, REF, silent } from '../database/support.ts';
import { configOf, ERASURE_KEY, happens, history, TABLES } from './worlds.ts';

/** Worlds are steps of histories: a first install, and what follows it. */
const HISTORIES = 10;

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

type Calls = Readonly<Record<string, readonly string[]>>;

interface Said {
  /** Each call of each destination, sorted: method, path and body. */
  readonly calls: Calls;
  readonly destinations: Readonly<Record<string, PlannedDestination>>;
}

async function planned(config: Config): Promise<Said> {
  const database = await planDatabase(db.sql, config);
  const { installed, sources, attributes } = database;
  const calls: Record<string, string[]> = {};
  const tallies = new Map(
    config.destinations.map((entry) => {
      const destination = registry.find(({ id }) => id === entry.type)!;
      calls[entry.name] = [];
      const plan = adjustedPlan(attributes, entry.adjustment, config.file);
      return [entry.name, createTally({ destination, config: entry.options, plan })];
    }),
  );
  await planPeople(db.sql, config, sources, {
    installed: installed !== undefined,
    forgotten: [],
    mended: [],
    onProgress: () => undefined,
    onRow: (row, name, weight) => {
      for (const { method, path, body } of tallies.get(name)?.add(row, weight)?.calls ?? [])
        calls[name]?.push(line(method, path.replace(new URL(sandbox.of(name).url).pathname, ''), body ?? ''));
    },
  });
  return {
    calls: sortedCalls(calls),
    destinations: Object.fromEntries([...tallies].map(([name, tally]) => [name, tally.result()])),
  };
}

/** Applies, folds what the triggers saw, looks at everybody, and sends: as `apply` and a worker do. */
async function synced(config: Config): Promise<Calls> {
  await applyInstall(db.sql, config, REF);
  const store = createStore(db.sql, {
    configHash: config.hash,
    projectRef: REF,
    environment: config.environment,
    erasureKey: ERASURE_KEY,
  });
  const before = sandbox.calls().at(-1)?.n ?? 0;
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
  for (const state of await store.destinations()) {
    const entry = config.destinations.find(({ name }) => name === state.name);
    if (entry === undefined) continue;
    const destination = registry.find(({ id }) => id === entry.type)!;
    for (;;) {
      const lease = { token: randomUUID(), ...LEASE };
      const claimed = await store.claim(state.id, lease, everyLane(100));
      await folded();
      if (claimed.length === 0) {
        // Whoever gives way waits for a look at who has the address.
        const { rows } = await db.app.query<{ n: number }>(
          `with soon as (update rollcall.due set due_at = clock_timestamp() where due_at > clock_timestamp() and destination_id = $1 returning 1)
           select count(*)::int as n from soon`,
          [state.id],
        );
        if (rows[0]?.n === 0) break;
        continue;
      }
      for (const delivery of claimed) {
        const performed = await perform(delivery, {
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
        if (!performed.begun) throw new Error('not begun');
        const { state: done } = performed;
        await store.settle(state.id, lease, [
          { delivery, outcome: done?.outcome, waitMs: 0, latencyMs: 1, partial: done?.partial, foundAt: done?.foundAt },
        ]);
      }
    }
  }
  const calls: Record<string, string[]> = Object.fromEntries(config.destinations.map(({ name }) => [name, []]));
  for (const call of sandbox.calls())
    if (call.n > before) calls[call.destination]?.push(line(call.method, call.path, call.body));
  return sortedCalls(calls);
}

const line = (method: string, path: string, body: string): string => `${method} ${path} ${body}`.trim();
const sortedCalls = (calls: Readonly<Record<string, readonly string[]>>): Calls =>
  Object.fromEntries(Object.entries(calls).map(([name, each]) => [name, each.toSorted()]));

test('what a plan says is what the sync then does, call for call', async () => {
  const seen = { create: 0, update: 0, delete: 0, unsubscribe: 0, unchanged: 0, skipped: 0, left_there: 0 };
  let worlds = 0;
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      await uninstall(db.sql);
      await db.app.query('truncate auth.users cascade; truncate public.leads, public.profiles');
      sandbox.reset();
      for (const { happenings, shape } of steps) {
        const config = configOf(shape, db, sandbox);
        for (const each of happenings) await happens(db, each, ERASURE_KEY);
        await makeFields(config);
        const said = await planned(config);
        const did = await synced(config);
        expect(said.calls).toEqual(did);
        for (const [name, { people, calls }] of Object.entries(said.destinations)) {
          expect(calls.reduce((sum, { count }) => sum + count, 0)).toBe(did[name]?.length);
          for (const state of Object.keys(seen) as (keyof typeof seen)[]) seen[state] += people[state];
        }
        worlds += 1;
      }
    }),
    { numRuns: HISTORIES },
  );
  expect(worlds).toBeGreaterThanOrEqual(50);
  // Nothing of it would say anything if it never happened.
  expect(Object.entries(seen).filter(([, n]) => n === 0)).toEqual([]);
});

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
