import type pg from 'pg';
import { passed } from '../poll.ts';
import type { StandIns } from '../stand-ins.ts';

/** What the app does all the time: people come and as many go, some are edited, some order. */
export interface Load {
  /** Ms from commit to accepted, of sign-ups that were accepted since the last time this was asked. */
  latencies(): Promise<readonly number[]>;
  readonly signUps: number;
  /** Rejects when a change failed. */
  readonly running: Promise<void>;
  /** Ends it, once what it has begun is done. */
  stop(): Promise<void>;
}

/** How many of each a second; who leaves are those who have been there longest. */
export interface Rates {
  readonly signUps: number;
  readonly edits: number;
  readonly orders: number;
}

const TICK_MS = 20;

/** The population that stays constant: `s<n>@example.com`, from the oldest to the newest. */
export async function populate(client: pg.Client, people: number): Promise<void> {
  await client.query(
    `create table public.orders (id bigint generated always as identity primary key, user_id uuid not null, total numeric(12,2),
       created_at timestamptz not null default now())`,
  );
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 's' || n || '@example.com', jsonb_build_object('full_name', 'Person ' || n), now()
       from generate_series(1, $1::int) n`,
    [people],
  );
}

/**
 * Starts the load over `populate`'s people.
 * @param clients connections that take turns; each change is a transaction of its own
 */
export function startLoad(clients: readonly pg.Client[], standIns: StandIns, people: number, rates: Rates): Load {
  const stop = new AbortController();
  const committed = new Map<string, number>();
  const state = { signUps: 0, edits: 0, orders: 0 };
  const someone = (): string => `s${state.signUps + 1 + Math.floor(Math.random() * people)}@example.com`;
  const changes: Readonly<Record<keyof Rates, (client: pg.Client) => Promise<void>>> = {
    async signUps(client) {
      state.signUps += 1;
      const n = people + state.signUps;
      const address = `s${n}@example.com`;
      await client.query(
        `insert into auth.users (id, email, raw_user_meta_data, created_at)
         values (gen_random_uuid(), $1, jsonb_build_object('full_name', 'Person ' || $2::int), now())`,
        [address, n],
      );
      committed.set(address, Date.now());
      await client.query('delete from auth.users where email = $1', [`s${n - people}@example.com`]);
    },
    async edits(client) {
      state.edits += 1;
      await client.query(
        `update auth.users set raw_user_meta_data = jsonb_build_object('full_name', 'Edit ' || $2::int), updated_at = now() where email = $1`,
        [someone(), state.edits],
      );
    },
    async orders(client) {
      state.orders += 1;
      await client.query(
        `insert into public.orders (user_id, total) select id, $2::int from auth.users where email = $1`,
        [someone(), state.orders],
      );
    },
  };
  const run = async (): Promise<void> => {
    const started = performance.now();
    const done: Record<keyof Rates, number> = { signUps: 0, edits: 0, orders: 0 };
    // A connection does one thing after another.
    const turns = clients.map(() => Promise.resolve());
    let turn = 0;
    while (!stop.signal.aborted) {
      const seconds = (performance.now() - started) / 1_000;
      for (const kind of ['signUps', 'edits', 'orders'] as const) {
        for (; done[kind] < seconds * rates[kind]; done[kind] += 1) {
          const n = turn++ % clients.length;
          turns[n] = turns[n]!.then(() => changes[kind](clients[n]!));
        }
      }
      await Promise.all(turns);
      await passed(TICK_MS);
    }
  };
  const running = run();
  return {
    get signUps() {
      return state.signUps;
    },
    running,
    async latencies() {
      const made = await standIns.made();
      return made.flatMap(([address, at]) => {
        const since = committed.get(address);
        committed.delete(address);
        return since === undefined ? [] : [Math.max(0, at - since)];
      });
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}
