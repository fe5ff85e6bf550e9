import { randomUUID } from 'node:crypto';
import { type Events, eventsDatabase, type ReadEvent } from './events-support.ts';

export const USER = '6f1c1bd0-0000-4000-8000-000000000001';

interface Contact {
  readonly key: string;
  readonly action?: string;
  readonly reason?: string | null;
  readonly address?: string | null;
  readonly waiting?: string | null;
  readonly remote?: string | null;
  readonly remoteId?: string | null;
}

/** Two destinations that take events, one that does not, and one that is gone. */
export async function withDestinations(): Promise<Events> {
  const on = await eventsDatabase();
  await on.app.query(
    `insert into rollcall.destinations (name, type, map_function, plan, account, takes_events, enabled) values
       ('one', 'x', 'm', '{}', 'a', true, true), ('two', 'x', 'm', '{}', 'a', true, true),
       ('deaf', 'x', 'm', '{}', 'a', false, true), ('gone', 'x', 'm', '{}', 'a', true, false)`,
  );
  return on;
}

/** Writes a contact with its state at the first destination; returns its id. */
export async function contact(on: Events, of: Contact, destination = 1): Promise<number> {
  const { rows } = await on.app.query(
    `with c as (insert into rollcall.contacts (key) values ($1) on conflict (key) do update set key = excluded.key returning id)
     insert into rollcall.desired (destination_id, contact_id, action, reason, address, waiting_for, remote_address, remote_id, hash, version)
       select $2, c.id, $3, $4, $5, $6, $7, $8, '', 1 from c returning contact_id::int as id`,
    [
      of.key,
      destination,
      of.action ?? 'upsert',
      of.reason ?? null,
      of.address ?? null,
      of.waiting ?? null,
      of.remote ?? null,
      of.remoteId ?? null,
    ],
  );
  return rows[0].id;
}

export function event(key: string | null, more: Partial<ReadEvent> = {}): ReadEvent {
  return {
    id: randomUUID(),
    source: 'public.t',
    key,
    name: 'happened',
    properties: '{"n": 9007199254740993}',
    happened_at: new Date().toISOString(),
    code: null,
    message: null,
    ...more,
  };
}

interface Stored {
  readonly id: string;
  readonly destination: number;
  readonly contact: number | null;
  readonly state: string;
  readonly reason: string | null;
  readonly ready: boolean;
  readonly ended: boolean;
}

export async function stored(on: Events, where = 'true'): Promise<Stored[]> {
  const { rows } = await on.app.query(
    `select id, destination_id as destination, contact_id::int as contact, state, reason, ready, ended_at is not null as ended
       from rollcall.events where ${where} order by destination_id, seq`,
  );
  return rows;
}

export async function due(on: Events): Promise<unknown[]> {
  const { rows } = await on.app.query(
    `select destination_id as destination, contact_id::int as contact, lane, token is not null as leased from rollcall.due order by 1, 2`,
  );
  return rows;
}
