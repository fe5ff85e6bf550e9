import type { Pool } from 'pg';
import { pause } from '../engine/wake.ts';
import type { Sandbox } from '../sandbox/types.ts';
import type { People, Person } from './people.ts';
import type { Screen } from './screen.ts';

export interface Crowd {
  readonly people: People;
  readonly app: Pool;
  readonly sandbox: Sandbox;
  readonly screen: Screen;
  readonly users: number | undefined;
  readonly exit: boolean;
  readonly signal: AbortSignal;
}

/** What became of the people who signed up. */
export interface CrowdResult {
  readonly users: number;
  /** Contacts that equal their user. */
  readonly delivered: number;
  readonly in_step: boolean;
  /** Commit to accepted, over the sign-ups whose commit time is still known; null when there are none. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** Requests the sandbox saw. */
  readonly calls: number;
}

const AT_ONCE = 8;
const RENAME_EVERY = 10;
const STEP_TIMEOUT_MS = 15 * 60_000;
const STROLL_MS = 700;

/** Lets people sign up, edit and leave. Resolves when `exit` is set and all are in step, or with undefined when stopped. */
export async function crowd(options: Crowd): Promise<CrowdResult | undefined> {
  const accepted = new Map<string, number>();
  const off = options.sandbox.onContact(({ kind, contact, at }) => {
    if (kind === 'created') accepted.set(contact.address, at);
    options.screen.contact(kind, contact.address, contact.attributes['FIRSTNAME'], at);
  });
  try {
    if (options.users !== undefined) await signUps(options, options.users);
    if (options.users !== undefined && options.exit) return await measure(options, options.users, accepted);
    await stroll(options);
    return undefined;
  } finally {
    off();
  }
}

async function signUps({ people, screen, signal }: Crowd, users: number): Promise<void> {
  let begun = 0;
  let done = 0;
  const one = async (): Promise<void> => {
    while (begun < users && !signal.aborted) {
      begun += 1;
      const n = begun;
      const since = Date.now();
      const person = await people.signUp();
      screen.person('signed up', person.email, person.name, since);
      if (n % RENAME_EVERY === 0) {
        const edited = Date.now();
        await person.rename(`${person.name} II`);
        screen.person('edited', person.email, `${person.name} II`, edited);
      }
      done += 1;
      screen.progress(done, users);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function measure(options: Crowd, users: number, accepted: ReadonlyMap<string, number>): Promise<CrowdResult> {
  const { app, sandbox, signal } = options;
  const { standIn } = sandbox.of('mailtrap');
  // The sources are the truth: in step is what a look at both sides says, not what our own tables claim.
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  let delivered = 0;
  let quiet = false;
  while (!signal.aborted && performance.now() < deadline) {
    const { rows } = await app.query<{ email: string; name: string }>(
      `select email, raw_user_meta_data ->> 'full_name' as name from auth.users`,
    );
    delivered = rows.filter((row) => standIn.contact(row.email)?.attributes['FIRSTNAME'] === row.name).length;
    const due = await app.query<{ n: number }>('select count(*)::int as n from rollcall.due');
    quiet = due.rows[0]?.n === 0;
    if (delivered === users && rows.length === users && standIn.contactCount === users && quiet) break;
    await pause(50, signal);
  }
  const waits = await latencies(app, accepted);
  return {
    users,
    delivered,
    in_step: delivered === users && standIn.contactCount === users && quiet,
    p50_ms: percentile(waits, 0.5),
    p99_ms: percentile(waits, 0.99),
    calls: sandbox.counters().calls,
  };
}

/** From a sign-up's commit, as Postgres recorded it, to the sandbox's acceptance; for those whose log row is not rotated away. */
async function latencies(app: Pool, accepted: ReadonlyMap<string, number>): Promise<number[]> {
  const { rows } = await app.query<{ email: string; committed: number }>(
    `select u.email, min(extract(epoch from pg_xact_commit_timestamp(c.xid::xid)) * 1000)::float8 as committed
       from (select xid, keys from rollcall.changes_0 union all select xid, keys from rollcall.changes_1
             union all select xid, keys from rollcall.changes_2) c, unnest(c.keys) k join auth.users u on u.id = k::uuid
      group by u.email`,
  );
  return rows.flatMap((row) => {
    const at = accepted.get(row.email);
    return at === undefined ? [] : [Math.max(0, at - row.committed)];
  });
}

function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return value === undefined ? null : Math.round(value * 10) / 10;
}

/** People come, edit and leave, one step at a time, until stopped. */
async function stroll({ people, app, screen, signal }: Crowd): Promise<void> {
  const present: Person[] = [];
  for (let step = 0; !signal.aborted; step += 1) {
    const [first] = present;
    const since = Date.now();
    if (step % 3 === 1 && first !== undefined) {
      const person = present[Math.floor(present.length / 2)] ?? first;
      const name = `${person.name.split(' ')[0]} ${['the Great', 'II', 'Jr.', 'PhD'][step % 4]}`;
      await person.rename(name);
      screen.person('edited', person.email, name, since);
    } else if (step % 7 === 5 && first !== undefined) {
      present.shift();
      await app.query('delete from auth.users where id = $1', [first.id]);
      screen.person('left', first.email, first.name, since);
    } else {
      const person = await people.signUp();
      present.push(person);
      screen.person('signed up', person.email, person.name, since);
    }
    await pause(STROLL_MS, signal);
  }
}
