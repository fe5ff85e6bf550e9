import { normalAddress, UUID } from '../compile/link.ts';
import type { Queryable } from '../port.ts';
import { ATTEMPT_LINES, attemptAt, type DeliveryLine, endedEvents, isoTime } from './deliveries.ts';

/** Which of the past are meant. */
export interface PastScope {
  readonly destination?: string | undefined;
  readonly outcomes?: readonly string[] | undefined;
  /** Our own ids. */
  readonly contacts?: readonly string[] | undefined;
  /** ISO 8601; at it or later. */
  readonly since?: string | undefined;
  /** ISO 8601; before it. */
  readonly until?: string | undefined;
}

/** Something that happened to the install or to a destination as a whole. */
export interface Notice {
  readonly at: string;
  readonly kind: 'alert' | 'pause' | 'brake' | 'backfill' | 'sweep';
  /** A destination, a table, a resource, or empty. */
  readonly subject: string;
  /** Counts, ages and codes, nobody's data. */
  readonly detail: Readonly<Record<string, unknown>>;
  readonly over: boolean;
}

/** Attempts of one moment have ids in another order than their times, by so many at most. */
const MIXED = 500;

/**
 * Our ids of a person, whose contact they are at any destination or were until they left; of an address also whoever had it before.
 * @param who the id of `auth.users`, an address, or our own id
 */
export async function contactsOf(sql: Queryable, who: string): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string }>(
    `with asked as materialized (
       select case when $1 ~ ${UUID} then lower($1) end as person, case when $1 like '%@%' then ${normalAddress('$1')} end as address)
     select c.id from asked a join rollcall.contacts c on c.key in (a.person, 'email:' || a.address)
     union select c.id from rollcall.contacts c where c.id = case when $1 ~ '^[0-9]{1,18}$' then $1::bigint end
     union select s.contact_id from asked a cross join lateral (
       select s.contact_id from rollcall.desired s where s.address = a.address
       union select s.contact_id from rollcall.desired s where s.remote_address = a.address
       union select p.contact_id from rollcall.past_addresses p where p.address = a.address) s
     order by 1`,
    [who],
  );
  return rows.map(({ id }) => id);
}

/**
 * The newest lines that are meant.
 * @param limit how many; some more are given, so that a page can end between two moments
 */
export async function pastDeliveries(
  sql: Queryable,
  { destination, outcomes, contacts, since, until }: PastScope,
  limit: number,
): Promise<readonly DeliveryLine[]> {
  const values: unknown[] = [limit + MIXED];
  const value = (of: unknown): string => `$${values.push(of)}`;
  const both: string[] = [];
  if (destination !== undefined) {
    both.push(`ROW.destination_id = (select d.id from rollcall.destinations d where d.name = ${value(destination)})`);
  }
  if (contacts !== undefined) both.push(`ROW.contact_id = any(${value(contacts)}::bigint[])`);
  const of = (row: string, more: readonly string[]): string =>
    [...both, ...more].map((text) => text.replaceAll('ROW', row)).join(' and ') || 'true';
  const attempts: string[] = [];
  const events: string[] = [];
  if (outcomes !== undefined) {
    const list = value(outcomes);
    attempts.push(`a.outcome = any(${list})`);
    events.push(`e.state = any(${list})`);
  }
  if (since !== undefined) {
    attempts.push(`a.id >= ${value(Math.max(0, (await attemptAt(sql, since)) - MIXED))}`, `a.at >= ${value(since)}`);
    events.push(`e.ended_at >= ${value(since)}`);
  }
  if (until !== undefined) {
    attempts.push(`a.id < ${value((await attemptAt(sql, until)) + MIXED)}`, `a.at < ${value(until)}`);
    events.push(`e.ended_at < ${value(until)}`);
  }
  const [row] = await sql.query<{ lines: readonly DeliveryLine[] }>(
    `with page as materialized (
       select a.*, a.xmin::text as tx from rollcall.attempts a where ${of('a', attempts)} order by a.id desc limit $1
     ), ${ATTEMPT_LINES}
     select coalesce(jsonb_agg(to_jsonb(l)), '[]') as lines from (
       select * from attempt_lines
       union all (select * from (${endedEvents(of('e', events))}) e order by e.at desc limit $1)) l`,
    values,
  );
  return row?.lines ?? [];
}

/** What happened as a whole in that time, as far as it is still known. Few: alerts are kept for a week. */
export async function pastNotices(
  sql: Queryable,
  { destination, since, until }: PastScope,
): Promise<readonly Notice[]> {
  const rows = await sql.query<{ notice: Notice }>(
    `select to_jsonb(n) || jsonb_build_object('at', ${isoTime('n.at')}) as notice from (
       select a.began_at as at, 'alert' as kind, a.subject, a.detail || jsonb_build_object('kind', a.kind) as detail, false as over from rollcall.alerts a
       union all select a.ended_at, 'alert', a.subject, a.detail || jsonb_build_object('kind', a.kind), true from rollcall.alerts a
       union all select d.paused_since, 'pause', d.name, jsonb_build_object('code', d.pause_code), false from rollcall.destinations d
         where d.enabled and d.pause_code is not null
       union all select b.stopped_at, 'brake', d.name, jsonb_build_object('kind', b.kind), false
         from rollcall.brakes b join rollcall.destinations d on d.id = b.destination_id
       union all select b.began_at, 'backfill', coalesce(b.resource, ''), jsonb_build_object('what', b.what), false from rollcall.backfills b
       union all select b.ended_at, 'backfill', coalesce(b.resource, ''), jsonb_build_object('what', b.what, 'rows', b.scanned), true
         from rollcall.backfills b
       union all select i.swept_at, 'sweep', '', coalesce(i.sweep_report, '{}'), true from rollcall.install i) n
      where n.at is not null and ($1::text is null or n.subject = $1 or n.kind in ('backfill', 'sweep'))
        and ($2::timestamptz is null or n.at >= $2) and ($3::timestamptz is null or n.at < $3)
      order by n.at`,
    [destination ?? null, since ?? null, until ?? null],
  );
  return rows.map(({ notice }) => notice);
}
