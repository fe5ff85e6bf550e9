import { randomUUID } from 'node:crypto';
import type { Outcome } from '../../../../src/core/outcome.ts';
import type { DeliveryState, Doubt } from '../../../../src/core/states/delivery.ts';
import type { Claimed, Lease, Settlement } from '../../../../src/engine/ports.ts';
import { createLastingDatabase } from '../../../support/database.ts';
import { USERS, withTables } from '../../../support/tables.ts';
import { type Installed, LEASE } from '../support.ts';

export const REJECT: Outcome = { kind: 'reject', code: 'invalid_email', message: 'No.' };
export const UNKNOWN: Outcome = { kind: 'unknown', code: 'timeout', message: 'No answer.' };
export const WINDOW_MS = 86_400_000;

/** What the database has of the one contact that a test is about. */
export interface DeliveryFacts {
  readonly action: string | null;
  readonly version: string | null;
  readonly delivered: string | null;
  /** It is, or may be, at the destination. */
  readonly there: boolean;
  /** The lane of its row in the queue; null without one. */
  readonly lane: number | null;
  readonly token: string | null;
  readonly doubt: boolean;
  /** What is in doubt can arrive no more: what is accepted now ends it. */
  readonly over: boolean;
  /** It has failed for its whole window: one more failure is the last. */
  readonly failing: boolean;
  /** One request can say all of it, together with others: see `fitsMany` in src/sql/functions/jobs.ts. */
  readonly fits: boolean;
  /** The brake on changes is on. */
  readonly braked: boolean;
  readonly letter: 'map' | 'deliver' | null;
  readonly dropped: boolean;
  readonly letter_doubt: boolean;
  readonly letter_version: string | null;
}

/** One contact, `a@x.test`, in a database of its own, and what it is made to go through. */
export interface Subject {
  readonly one: Installed;
  /** Its id in `auth.users`. */
  key: string;
  /** What is in flight for it, under the lease it was claimed with. */
  held: { readonly delivery: Claimed; readonly lease: Lease } | undefined;
  /** A lease that it was claimed with once and that is over. */
  lost: { readonly delivery: Claimed; readonly lease: Lease } | undefined;
  facts(): Promise<DeliveryFacts>;
  sql(text: string, values?: readonly unknown[]): Promise<void>;
}

const CONNECTOR = `${USERS}
  user_metadata.n: { to: N, type: integer }
table_mapping:
  orders:
    sync_as: events
    event_name: order_placed
    contact: { user_id: user_id }
    properties: { id: id, n: { to: n, type: integer } }`;

/** @returns also what ends it: it is there for all tests of a file */
export async function createSubject(): Promise<readonly [Subject, () => Promise<void>]> {
  const [db, end] = await createLastingDatabase(true);
  const one = await withTables({
    db,
    ddl: 'create table public.orders (id int primary key, user_id uuid, n text)',
    connector: CONNECTOR,
    consent: '{ column: user_metadata.yes }',
  });
  const subject: Subject = {
    one,
    key: '',
    held: undefined,
    lost: undefined,
    async facts() {
      const { rows } = await one.db.app.query<Record<string, never>>(FACTS, [this.key, one.destination]);
      return (rows[0] ?? NOTHING) as unknown as DeliveryFacts;
    },
    async sql(text, values = []) {
      await one.db.app.query(text, [...values]);
    },
  };
  return [subject, end];
}

const NOTHING: DeliveryFacts = {
  action: null,
  version: null,
  delivered: null,
  there: false,
  lane: null,
  token: null,
  doubt: false,
  over: false,
  failing: false,
  fits: false,
  braked: false,
  letter: null,
  dropped: false,
  letter_doubt: false,
  letter_version: null,
};

const FACTS = `
  select s.action, s.version::text, s.delivered_version::text as delivered,
         coalesce(s.remote_address, s.remote_id, s.leftovers[1]) is not null as there,
         d.lane, d.token::text, d.unknown_until is not null as doubt,
         coalesce(d.unknown_until <= clock_timestamp(), false) as over,
         coalesce(d.tries >= 4 and d.failing_since <= rollcall.trying_clock($2) - interval '1 day', false) as failing,
         coalesce(s.action = 'upsert' and s.consent = 'basis' and not s.takeover and coalesce(s.remote_address = s.address, true)
           and s.carry_from is null and s.leftovers is null and not d.single
           and (d.unknown_until is not null or s.delivered_version is distinct from s.version), false) as fits,
         exists (select from rollcall.brakes b where b.kind = 'changes' and b.stopped_at is not null) as braked,
         l.stage as letter, l.dropped_at is not null as dropped, coalesce(l.unknown_until > clock_timestamp(), false) as letter_doubt,
         l.version::text as letter_version
    from rollcall.contacts c
    left join rollcall.desired s on s.contact_id = c.id and s.destination_id = $2
    left join rollcall.due d on d.contact_id = c.id and d.destination_id = $2
    left join rollcall.dead_letters l on l.contact_id = c.id and l.destination_id = $2
   where c.key = $1`;

/** Which state that is. @param claimed the version that is in flight */
export function stateOf(facts: DeliveryFacts, claimed: string | undefined): readonly [DeliveryState, Doubt] {
  const { action, version, lane, letter, dropped } = facts;
  const doubt = (is: boolean): Doubt => (is ? 'doubtful' : 'sure');
  if (lane !== null) {
    return [inQueue(facts, claimed === version), doubt(facts.doubt || facts.letter_doubt)];
  }
  if (letter === null) return [action === null ? 'absent' : 'idle', 'sure'];
  return [letter === 'map' ? 'unmapped' : dropped ? 'dropped' : 'refused', doubt(facts.letter_doubt)];
}

/**
 * What holds in every state: whoever is not in step waits in the queue, or has a dead letter that says why; and what was accepted as
 * it shall be is no dead letter of delivery.
 */
export function isSound({ action, version, delivered, lane, letter }: DeliveryFacts): boolean {
  if (action === null || action === 'none') return letter !== 'deliver';
  const inStep = version === delivered;
  return inStep ? letter !== 'deliver' : lane !== null || letter !== null;
}

function inQueue({ action, lane, token }: DeliveryFacts, newest: boolean): DeliveryState {
  const held = (lane ?? 0) >= 2;
  if (token === null) return held ? 'held' : 'due';
  if (action === 'none') return 'void';
  return held ? 'outdated_held' : newest ? 'leased' : 'outdated';
}

/** As if nothing had ever happened. */
export async function reset(subject: Subject): Promise<void> {
  subject.held = undefined;
  subject.lost = undefined;
  subject.key = randomUUID();
  await subject.sql(RESET);
}

const RESET = `
  set session_replication_role = replica;
  delete from auth.users; delete from public.orders;
  set session_replication_role = origin;
  delete from rollcall.changes_0; delete from rollcall.changes_1; delete from rollcall.changes_2;
  ${[
    'contacts',
    'past_addresses',
    'desired',
    'due',
    'dead_letters',
    'events',
    'held_events',
    'jobs',
    'brakes',
    'brake_counts',
    'given',
    'attempts',
    'consent',
    'answers',
    'write_backs',
    'remote_readings',
    'remote_contacts',
  ]
    .map((table) => `delete from rollcall.${table};`)
    .join(' ')}
  update rollcall.destinations set paused_until = null, pause_code = null, pauses = 0, paused_since = null, probe_until = null, rested_ms = 0;
  delete from rollcall.fold_position; insert into rollcall.fold_position (lo) values (pg_current_snapshot());
  update rollcall.install set set_back_at = null;`;

export async function signUp(subject: Subject, email: string | null = 'a@x.test'): Promise<void> {
  await subject.sql(
    `insert into auth.users (id, email, raw_user_meta_data, created_at) values ($1, $2, '{"full_name": "A", "yes": true}', now())`,
    [subject.key, email],
  );
  await subject.one.foldAll();
}

let names = 0;

/** Another value of something that is mapped; whoever is gone comes back, at another address. */
export async function change(subject: Subject): Promise<void> {
  names += 1;
  await subject.sql(
    `insert into auth.users (id, email, raw_user_meta_data, created_at) values ($1, 'z@x.test', '{"yes": true}', now()) on conflict do nothing`,
    [subject.key],
  );
  await edit(subject, { full_name: `N${names}`, n: null });
}

/** Leaves for good. */
export async function remove(subject: Subject): Promise<void> {
  await subject.sql('delete from auth.users where id = $1', [subject.key]);
  await subject.one.foldAll();
}

/** Somebody else signs up with its address. */
export async function takeAddress(subject: Subject): Promise<void> {
  await subject.sql(
    `insert into auth.users (id, email, raw_user_meta_data, created_at) values (gen_random_uuid(), 'a@x.test', '{}', now())`,
  );
  await subject.one.foldAll();
}

/** An event of it. */
export async function order(subject: Subject): Promise<void> {
  await subject.sql('insert into public.orders select coalesce(max(id), 0) + 1, $1, null from public.orders', [
    subject.key,
  ]);
  await subject.one.foldAll();
}

export async function edit(subject: Subject, values: object): Promise<void> {
  await subject.sql('update auth.users set raw_user_meta_data = raw_user_meta_data || $2 where id = $1', [
    subject.key,
    JSON.stringify(values),
  ]);
  await subject.one.foldAll();
}

export async function contactId({ one, key }: Subject): Promise<string | undefined> {
  const { rows } = await one.db.app.query<{ id: string }>('select id::text from rollcall.contacts where key = $1', [
    key,
  ]);
  return rows[0]?.id;
}

/** Claims whatever can be claimed now, under a lease of its own. */
export async function claim(subject: Subject): Promise<void> {
  const lease = { token: randomUUID(), ...LEASE };
  const claimed = await subject.one.claim(10, lease);
  const id = await contactId(subject);
  const delivery = claimed.find(({ contactId: claimedId }) => claimedId === id);
  if (delivery === undefined) return;
  if (subject.held !== undefined) subject.lost = subject.held;
  subject.held = { delivery, lease };
}

/** Whatever waits for its time need not wait any longer; a lease is no wait. */
export async function hurry(subject: Subject): Promise<void> {
  await subject.sql('update rollcall.due set due_at = clock_timestamp(), not_before = null where token is null');
}

export async function giveBack(subject: Subject): Promise<void> {
  const { delivery, lease } = subject.held!;
  await subject.one.store.release(subject.one.destination, lease.token, [delivery.contactId]);
  subject.lost = subject.held;
  subject.held = undefined;
}

/** Settles what is in flight. */
export async function settle(
  subject: Subject,
  outcome: Outcome | undefined,
  more: Partial<Settlement> = {},
  held: NonNullable<Subject['held']> = subject.held!,
): Promise<void> {
  const { delivery, lease } = held;
  await subject.one.store.settle(subject.one.destination, lease, [
    {
      delivery,
      outcome: delivery.sendState ? outcome : undefined,
      waitMs: 0,
      windowMs: WINDOW_MS,
      latencyMs: 1,
      ...more,
    },
  ]);
  if (held === subject.held) subject.held = undefined;
}

export const DELIVERED: Outcome = { kind: 'delivered', remoteId: 'r1' };

/** Stops a brake as a fold of too many does. */
export async function stopBrake(subject: Subject, kind: 'deletes' | 'changes'): Promise<void> {
  await subject.sql(
    `select rollcall.take_brake($1::smallint, $2), rollcall.stop_brake($1::smallint, $2, clock_timestamp())`,
    [subject.one.destination, kind],
  );
}

/** How long something has failed, and how often, is so that one more failure is the last. */
export async function fail(subject: Subject): Promise<void> {
  await subject.sql(
    `update rollcall.due set tries = 9, failing_since = rollcall.trying_clock(destination_id) - interval '2 days'`,
  );
}

/** The grace was over before anything that is in flight was claimed. */
export async function graceOver(subject: Subject): Promise<void> {
  for (const table of ['due', 'dead_letters']) {
    await subject.sql(
      `update rollcall.${table} set unknown_until = clock_timestamp() - interval '1 hour' where unknown_until is not null`,
    );
  }
}
