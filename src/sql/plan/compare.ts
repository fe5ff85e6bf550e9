import { leftBefore, upsertState } from './functions.ts';

const WAITS = `('create', 'update', 'delete', 'unsubscribe')`;

/**
 * What is the case with contacts at a destination, where nobody else has to do with them: a row for each for whom something is to be sent,
 * and numbers of all others. One query, whose rows go out as they are made: $1 the destination, $2 what happens to those who leave.
 * @param wanted SQL of what they shall be, as \`rollcall.wanted[]\`
 */
export function compared(wanted: string): string {
  return `with z as materialized (
    select z.*, z.state in ${WAITS} as waits,
           case when z.state = 'refused' then z.code when z.state <> 'unchanged' then z.reason end as why
      from (
      select y.*, case
               when y.action = 'none' then case when y.remote_address is not null or y.remote_id is not null then 'left_there' else 'skipped' end
               when not y.changed and y.delivered_version is not distinct from y.version then 'unchanged'
               when not y.changed and y.stage = 'deliver' and y.refused_version = y.version then 'refused'
               when not y.changed and y.lane >= 2 then 'held'
               when y.action = 'upsert' then ${upsertState('y')}
               else y.action end as state
        from (
        select x.*, case when x.stays then coalesce(x.was, 'none') else x.now_action end as action,
               case when x.verdict = 'failed' then case when x.known then x.was_reason else 'unmapped' end when x.verdict <> 'ok' then x.verdict end as reason,
               not x.stays and (x.was, x.was_reason, x.was_address, x.waiting_for, x.hash) is distinct from (
                 x.now_action, case when x.verdict <> 'ok' then x.verdict end, case when x.verdict = 'ok' then x.to_address end,
                 case when x.verdict in ('not_synced', 'source_paused', 'filtered') then x.to_address end, case when x.verdict = 'ok' then x.to_hash else ''::bytea end) as changed
          from (
          select v.*, v.verdict = 'failed' or v.left_before as stays,
                 case when v.verdict = 'ok' then 'upsert' when v.remote_address is null and v.remote_id is null then 'none'
                      when v.verdict in ('merged', 'erased') then 'delete' when v.verdict = 'source_paused' or $2::text = 'keep' then 'none'
                      else $2::text end as now_action
            from (
            select w.contact_id, w.key, w.verdict, w.address as to_address, w.payload as to_payload, w.consent as said, w.hash as to_hash,
                   s.contact_id is not null as known, s.action as was, s.reason as was_reason, s.address as was_address, s.waiting_for, s.hash,
                   s.version, s.delivered_version, s.remote_address, s.remote_id, s.carry_from, s.leftovers, s.takeover, s.imported, s.consent, s.payload,
                   ${leftBefore('w.verdict', 's', 'rollcall.desired')} as left_before, d.lane, l.stage, l.version as refused_version, l.code
              from unnest(${wanted}) w
              left join lateral (select s.* from rollcall.desired s where s.destination_id = $1::smallint and s.contact_id = w.contact_id offset 0) s on true
              left join lateral (select d.lane from rollcall.due d where d.destination_id = $1::smallint and d.contact_id = w.contact_id offset 0) d on true
              left join lateral (select l.stage, l.version, l.code from rollcall.dead_letters l where l.destination_id = $1::smallint and l.contact_id = w.contact_id offset 0) l on true
             where w.verdict not in ('gone', 'erased') or s.contact_id is not null offset 0) v offset 0) x offset 0) y offset 0) z)
  select z.contact_id, z.key, z.state, z.reason, 1::bigint as n, case when z.state = 'update' then z.payload::text end as payload_before,
         z.remote_address as address_before, case when z.state = 'update' and z.changed and z.was = 'upsert' then z.consent end as consent_before,
         coalesce(z.version, 0) + z.changed::int as version, z.action,
         case when z.action = 'upsert' then case when z.changed then z.to_address else z.was_address end end as address, z.remote_address, z.remote_id,
         case when z.action <> 'upsert' then '{}' when z.changed then z.to_payload::text else z.payload::text end as payload,
         case when not z.changed or z.verdict <> 'ok' then coalesce(z.consent, 'none') when z.said <> 'missing' then z.said
              when z.consent in ('basis', 'opted_out') then 'opted_out' else 'none' end as consent,
         z.carry_from, coalesce(z.takeover, false) as takeover, z.leftovers, z.delivered_version is not null as delivered,
         coalesce(z.imported, false) as imported, false as again, false as astray, z.consent = 'opted_out' as opted_out
    from z where z.waits
  union all
  select null, null, z.state, z.why, count(*), null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from z where not z.waits group by z.state, z.why`;
}
