import type pg from 'pg';
import { passed } from '../poll.ts';

/** What the disaster happens to; the bench and the test bring their own. */
export interface Disaster {
  readonly signUps: number;
  /** Connections of the app, each of which signs people up one by one, as fast as it can. */
  readonly writers: number;
  /** How long the destination answers 500 to everything, in ms. */
  readonly failingMs: number;
  connect(): Promise<pg.Client>;
  failing(on: boolean): Promise<void>;
  /** `pg_ctl stop -m immediate`. */
  stopPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** `kill -9` of what delivers, and another in its place. */
  killWorker(): Promise<void>;
}

export interface SignedUp {
  /** Address and name of everybody whose sign-up was acknowledged. */
  readonly people: ReadonlyMap<string, string>;
  /** Tries that found Postgres gone or starting; the app tried each again. */
  readonly triedAgain: number;
  /** Any other error, by its words: there must be none. */
  readonly failed: readonly string[];
}

/** When what goes wrong begins: once this share of the people is signed up. */
const FAILING_AT = 0.15;
const STOP_AT = 0.4;
const KILL_AT = 0.7;
const LOOK_MS = 5;
const AGAIN_MS = 50;

/**
 * Signs people up at full speed while the destination fails, a worker is killed and Postgres is stopped at once, and ends when the
 * last one is in and nothing is broken any more. What has been delivered by then is the caller's to look at.
 */
export async function disaster(parts: Disaster): Promise<SignedUp> {
  const people = new Map<string, string>();
  const state = { triedAgain: 0, failed: [] as string[], next: 0 };
  const reached = async (share: number): Promise<void> => {
    while (people.size + state.failed.length < parts.signUps * share) await passed(LOOK_MS);
  };
  const writer = async (): Promise<void> => {
    let client = await parts.connect();
    while (state.next < parts.signUps) {
      const n = state.next++;
      const [address, name] = [`d${n}@example.com`, `Person ${n}`];
      for (let done = false; !done;) {
        try {
          await signUp(client, address, name);
          people.set(address, name);
          done = true;
        } catch (error) {
          if (!isGone(error)) {
            state.failed.push(String(error));
            done = true;
            continue;
          }
          state.triedAgain += 1;
          await passed(AGAIN_MS);
          await client.end().catch(() => undefined);
          client = await parts.connect().catch(() => client);
        }
      }
    }
    await client.end();
  };
  const trouble = async (): Promise<void> => {
    await reached(FAILING_AT);
    await parts.failing(true);
    const healed = passed(parts.failingMs).then(() => parts.failing(false));
    await reached(STOP_AT);
    await parts.stopPostgres();
    await parts.startPostgres();
    await reached(KILL_AT);
    await parts.killWorker();
    await healed;
  };
  await Promise.all([trouble(), ...Array.from({ length: parts.writers }, writer)]);
  return { people, triedAgain: state.triedAgain, failed: state.failed };
}

/** As Supabase Auth does it: one transaction a person. Somebody whose commit was not acknowledged may be there already. */
async function signUp(client: pg.Client, address: string, name: string): Promise<void> {
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     values (gen_random_uuid(), $1, jsonb_build_object('full_name', $2::text), now())
     on conflict (email) where is_sso_user = false do nothing`,
    [address, name],
  );
}

/** Postgres is not there: connections end or are refused (57P0x: shutdown, crash, starting), and a client that lost its own knows. */
function isGone(error: unknown): boolean {
  const { code = '', message = '' } = error as { readonly code?: string; readonly message?: string };
  return (
    /^(57P0[123]|08...|ECONNREFUSED|ECONNRESET|EPIPE)$/.test(code) ||
    /Connection terminated|Client (was closed|has encountered a connection error)|not queryable/.test(message)
  );
}
