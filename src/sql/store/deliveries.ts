import type { Queryable } from '../port.ts';

/** An attempt, or an event that ended without one. */
export interface DeliveryLine {
  /** ISO 8601, to the microsecond. */
  readonly at: string;
  readonly destination: string;
  /** Our own id; null for an event that leads to nobody. */
  readonly contact: string | null;
  /** The id of `auth.users`, or `email:<address>`; null once the contact is gone. */
  readonly key: string | null;
  /** Where they are, or were when they left. */
  readonly address: string | null;
  readonly action: string;
  /** Of an event, its name where that is certain. */
  readonly event: string | null;
  /** An outcome; `dropped` or `dead` of an event that ended without an attempt. */
  readonly outcome: string;
  readonly code: string | null;
  /** The destination's or the database's words; they may repeat what the person has. */
  readonly message: string | null;
  /** What was to be sent, for finding it in the words. */
  readonly payload: unknown;
  readonly latency_ms: number | null;
  /** Of an attempt. */
  readonly id: number | null;
  /** Of an event that ended without one: which, and when. */
  readonly ended: string | null;
}

/** A time as text that sorts as the time does. */
export function isoTime(sql: string): string {
  return `to_char(${sql} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** By its columns: `jsonb_agg(to_jsonb(x) - ..)` would show what is added to the table later. */
const WHO = `d.name as destination, c.key, coalesce(s.address, s.remote_address) as address`;
const JOINS = (row: string): string => `join rollcall.destinations d on d.id = ${row}.destination_id
    left join rollcall.contacts c on c.id = ${row}.contact_id
    left join rollcall.desired s on s.contact_id = ${row}.contact_id and s.destination_id = ${row}.destination_id`;

/**
 * Attempts of a CTE `page` (rows of `rollcall.attempts` with `tx`, their `xmin`), as lines. An attempt does not say at which event it
 * was; but event and attempt are written by one transaction, so where all that it ended for the contact have one name, that is it.
 */
export const ATTEMPT_LINES: string = `named as materialized (
    select e.contact_id, e.destination_id, e.xmin::text as tx, min(e.name) as name from rollcall.events e
     where e.state in ('delivered', 'dead')
       and e.ended_at between (select min(p.at) from page p where p.action = 'event') - interval '2 s'
                          and (select max(p.at) from page p where p.action = 'event') + interval '2 s'
     group by 1, 2, 3 having min(e.name) = max(e.name)
  ), attempt_lines as (
    select ${isoTime('p.at')} as at, ${WHO}, p.contact_id::text as contact, p.action, n.name as event, p.outcome, p.code, p.message,
           case when p.message <> '' then s.payload end as payload, p.latency_ms, p.id, null::text as ended
      from page p ${JOINS('p')}
      left join named n on p.action = 'event' and n.contact_id = p.contact_id and n.destination_id = p.destination_id and n.tx = p.tx)`;

/**
 * Events that ended without an attempt, as lines: nothing was sent of them.
 * @param where what else holds of the event `e`
 */
export function endedEvents(where: string): string {
  return `select ${isoTime('e.ended_at')} as at, ${WHO}, e.contact_id::text as contact, 'event' as action, e.name as event,
           e.state as outcome, e.reason as code, e.message, case when e.message <> '' then jsonb_build_array(s.payload, e.properties) end as payload,
           null::int as latency_ms, null::bigint as id, e.seq || '@' || ${isoTime('e.ended_at')} as ended
      from rollcall.events e ${JOINS('e')}
     where e.state in ('dropped', 'dead') and ${where}
       and not exists (select from rollcall.attempts a where a.contact_id = e.contact_id and a.destination_id = e.destination_id
                          and a.action = 'event' and a.xmin::text = e.xmin::text)`;
}

/**
 * About which attempt was the first at or after a time: they are in the order of their ids, but for those of one moment. By some
 * twenty looks at the primary key, as there is no index on the time.
 * @param at ISO 8601
 * @returns its id; one above the highest when there is none
 */
export async function attemptAt(sql: Queryable, at: string): Promise<number> {
  const [row] = await sql.query<{ id: string }>(
    `with recursive narrowed(lo, hi) as (
       select coalesce(min(a.id), 1), coalesce(max(a.id), 0) + 1 from rollcall.attempts a
       union all
       select case when x.at < $1 then x.id + 1 else b.lo end, case when x.at < $1 then b.hi else (b.lo + b.hi) / 2 end
         from narrowed b cross join lateral (
           select a.id, a.at from rollcall.attempts a where a.id >= (b.lo + b.hi) / 2 order by a.id limit 1) x
        where b.lo < b.hi)
     select min(n.lo) as id from narrowed n where n.lo >= n.hi`,
    [at],
  );
  return Number(row?.id ?? 1);
}
