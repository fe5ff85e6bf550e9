import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config/types.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { Claimed, ClaimScope, Lease, Logger, Store } from '../../../src/engine/ports.ts';
import { sweep } from '../../../src/engine/sweep.ts';
import { createStore } from '../../../src/sql/store/store.ts';
import { testConfig } from '../../support/config.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { install } from '../../support/install.ts';

export const REF = 'test-project';

export const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} };

/** What a test wants to see of a contact. */
export interface Desired {
  readonly action: string;
  readonly reason: string | null;
  readonly address: string | null;
  readonly waiting_for: string | null;
  readonly payload: Record<string, unknown>;
  readonly consent: string;
  readonly version: number;
  readonly delivered_version: number | null;
  readonly remote_address: string | null;
  readonly remote_id: string | null;
  readonly leftovers: string[] | null;
  readonly carry_from: string | null;
  readonly takeover: boolean;
  readonly due: boolean;
  readonly leased: boolean;
  readonly due_in_s: number | null;
  readonly unknown_in_s: number | null;
}

/** An installed database, a store on it, and short words for what the tests do. */
export interface Installed {
  readonly db: TestDatabase;
  readonly store: Store;
  readonly config: Config;
  readonly destination: number;
  insert(email: string | null, metadata?: object, more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Folds until the log is empty. */
  foldAll(limit?: number): Promise<{ taken: number; changed: number; failed: number }>;
  sweepNow(): Promise<{ readonly scanned: number; readonly folded: number } | undefined>;
  desired(key: string): Promise<Desired | undefined>;
  uncaptured(): Promise<number>;
  /** Keys in the log, in no order. */
  logged(): Promise<string[]>;
  claim(limit?: number, lease?: Lease): Promise<readonly Claimed[]>;
  settle(delivery: Claimed, outcome: Outcome | 'delivered', waitMs?: number, lease?: Lease): Promise<number>;
  deliverAll(): Promise<Claimed[]>;
  lease: Lease;
}

export const LEASE: Omit<Lease, 'token'> = { leaseMs: 20_000, graceMs: 120_000 };

export async function installed(more: Partial<Config> = {}, on?: TestDatabase): Promise<Installed> {
  const db = on ?? (await createDatabase(true));
  const config = testConfig(more);
  await install(db, config, REF);
  return around(db, config);
}

export async function around(db: TestDatabase, config: Config): Promise<Installed> {
  const store = createStore(db.sql, { configHash: config.hash, projectRef: REF, environment: config.environment });
  const destination = (await store.destinations())[0]?.id ?? 0;
  const lease = { token: randomUUID(), ...LEASE };
  const one: Installed = {
    db,
    store,
    config,
    destination,
    lease,
    async insert(email, metadata = {}, extra = {}) {
      const id = randomUUID();
      const columns = Object.keys(extra);
      await db.app.query(
        `insert into auth.users (id, email, raw_user_meta_data, created_at ${columns.map((c) => `, "${c}"`).join('')})
         values ($1, $2, $3, now() ${columns.map((_, i) => `, $${i + 4}`).join('')})`,
        [id, email, JSON.stringify(metadata), ...columns.map((c) => extra[c])],
      );
      return id;
    },
    async foldAll(limit = 1_000) {
      const sum = { taken: 0, changed: 0, failed: 0 };
      for (;;) {
        const folded = await store.fold(limit);
        sum.taken += folded.taken;
        sum.changed += folded.changed;
        sum.failed += folded.failed;
        if (folded.taken === 0 && !folded.busy) return sum;
      }
    },
    sweepNow: () =>
      sweep({ store, log: silent, everyMs: 3_600_000, onFolded: () => undefined }, true, new AbortController().signal),
    async desired(key) {
      const { rows } = await db.app.query(
        `select s.action, s.reason, s.address, s.waiting_for, s.payload, s.consent, s.version::int, s.delivered_version::int,
                s.remote_address, s.remote_id, s.leftovers, s.carry_from, s.takeover, d.contact_id is not null as due,
                d.token is not null as leased,
                extract(epoch from d.due_at - clock_timestamp())::float8 as due_in_s,
                extract(epoch from d.unknown_until - clock_timestamp())::float8 as unknown_in_s
           from rollcall.contacts c join rollcall.desired s on s.contact_id = c.id
           left join rollcall.due d on d.contact_id = c.id and d.destination_id = s.destination_id
          where c.key = $1 and s.destination_id = $2`,
        [key, destination],
      );
      return rows[0] as Desired | undefined;
    },
    async uncaptured() {
      const { rows } = await db.app.query('select rollcall.uncaptured_count()::int as n');
      return rows[0].n as number;
    },
    async logged() {
      const { rows } = await db.app.query(
        `select unnest(keys) as key from (table rollcall.changes_0 union all table rollcall.changes_1 union all table rollcall.changes_2) c`,
      );
      return rows.map((row) => row.key as string);
    },
    claim: (limit = 100, use = lease) => store.claim(destination, use, everyLane(limit)),
    settle: (delivery, outcome, waitMs = 0, use = lease) =>
      store.settle(destination, use, [
        {
          delivery,
          outcome: outcome === 'delivered' ? { kind: 'delivered' } : outcome,
          events:
            outcome === 'delivered'
              ? delivery.events.map(({ id }) => ({ id, outcome: { kind: 'delivered' }, latencyMs: 1 }))
              : [],
          waitMs,
          latencyMs: 1,
        },
      ]),
    async deliverAll() {
      const all: Claimed[] = [];
      for (;;) {
        const claimed = await one.claim();
        if (claimed.length === 0) return all;
        for (const delivery of claimed) await one.settle(delivery, 'delivered');
        all.push(...claimed);
      }
    },
  };
  return one;
}

/** A claim of at most so many of each lane. */
export function everyLane(most: number, after = '-infinity'): ClaimScope {
  return {
    limits: [most, most],
    bytes: 1_000_000_000,
    after: [after, after],
    least: [0, 0],
    consents: [],
    liveWaitMs: 0,
  };
}
