import type { EventState } from '../../../../src/core/states/event.ts';
import { dropFailures } from '../../../../src/sql/store/failures.ts';
import type { Outcome } from '../../../../src/core/outcome.ts';
import { claim, DELIVERED, giveBack, REJECT, reset, settle, signUp, type Subject, order } from './subject.ts';

/** What the database has of the one event that a test is about. */
export interface EventFacts {
  readonly id: string | null;
  readonly stored: boolean;
  readonly state: string | null;
  readonly ready: boolean;
  readonly reason: string | null;
  readonly there: boolean;
  readonly leased: boolean;
}

const FACTS = `
  select exists (select from rollcall.held_events) as stored, e.id::text as id, e.state, coalesce(e.ready, false) as ready, e.reason,
         coalesce(s.remote_address, s.remote_id) is not null as there, d.token is not null as leased
    from (select) x left join rollcall.events e on true
    left join rollcall.desired s on s.contact_id = e.contact_id and s.destination_id = e.destination_id
    left join rollcall.due d on d.contact_id = e.contact_id and d.destination_id = e.destination_id`;

export async function eventFacts({ one }: Subject): Promise<EventFacts> {
  const { rows } = await one.db.app.query<EventFacts & Record<string, unknown>>(FACTS);
  return rows[0]!;
}

/** Which state that is. @param handed whether it was given to the worker that holds its contact */
export function eventStateOf({ stored, state, ready, reason, there, leased }: EventFacts, handed: boolean): EventState {
  if (state === null) return stored ? 'stored' : 'absent';
  if (state === 'dead') return /^[0-9A-Z]{5}$/.test(reason ?? '') ? 'unmapped' : 'dead';
  if (state !== 'pending') return state as 'delivered' | 'dropped';
  if (!ready) return 'unready';
  if (leased && handed) return 'sent';
  return there ? 'queued' : 'waiting';
}

/** Settles what came of the event alone. */
export async function settleEvent(subject: Subject, outcome: Outcome, held = subject.held!): Promise<void> {
  const events = held.delivery.events.map(({ id }) => ({ id, outcome, latencyMs: 1 }));
  await settle(subject, held.delivery.sendState ? DELIVERED : undefined, { events }, held);
}

/** The contact is there, and nothing waits. */
export async function there(subject: Subject): Promise<void> {
  await signUp(subject);
  await claim(subject);
  await settle(subject, DELIVERED);
}

export const pauseTable = ({ one }: Subject): Promise<unknown> =>
  one.db.app.query(`select rollcall.pause_source('public.orders', 'drift', 'A column is gone.')`);

export const unready = (subject: Subject): Promise<void> => subject.sql('update rollcall.events set ready = false');

const BUILD: Readonly<Record<EventState, (subject: Subject) => Promise<void>>> = {
  absent: there,
  async stored(subject) {
    await there(subject);
    await pauseTable(subject);
    await order(subject);
  },
  async unready(subject) {
    await queued(subject);
    await unready(subject);
  },
  async waiting(subject) {
    await signUp(subject);
    await order(subject);
  },
  queued,
  sent,
  async delivered(subject) {
    await sent(subject);
    await settleEvent(subject, { kind: 'delivered' });
  },
  dead,
  async unmapped(subject) {
    await there(subject);
    await unmappable(subject);
  },
  async dropped(subject) {
    await dead(subject);
    await dropFailures(subject.one.db.sql, { destination: 'mailtrap' });
  },
};

/** A lease under which it was handed out once is over. */
async function queued(subject: Subject): Promise<void> {
  await there(subject);
  await order(subject);
  await claim(subject);
  await giveBack(subject);
}

async function sent(subject: Subject): Promise<void> {
  await queued(subject);
  await claim(subject);
}

async function dead(subject: Subject): Promise<void> {
  await sent(subject);
  await settleEvent(subject, REJECT);
}

export async function unmappable(subject: Subject): Promise<void> {
  await subject.sql(`insert into public.orders values (1, $1, 'x')`, [subject.key]);
  await subject.one.foldAll();
}

/** Brings the event into a state, from nothing. */
export async function buildEvent(subject: Subject, state: EventState): Promise<void> {
  await subject.sql(`select rollcall.resume_source('public.orders')`);
  await reset(subject);
  await BUILD[state](subject);
}
