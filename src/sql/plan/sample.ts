import { KEYS_FIRST } from '../functions/plan-settings.ts';

/** Whom a plan looks at when it looks at some only. They are made for its transaction alone. */
export const sampleFunctions: string = /* sql */ `
-- Some of the users, and about how many there are; all of them where they are few.
create function rollcall.plan_sample_users(p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' set row_security = off as $body$
declare
  v_share float8;
begin
  begin
    select greatest(c.reltuples, 0)::bigint into people from pg_catalog.pg_class c where c.oid = 'auth.users'::regclass;
    if people < p_most * 10 then select count(*) into people from auth.users; end if;
    v_share := case when people <= p_most then 100 else least(100, 300.0 * p_most / people) end;
    keys := array(select x.id::text from (select u.id from auth.users u tablesample system (v_share) order by random() limit p_most) x order by x.id);
    if cardinality(keys) < least(p_most, people) then
      -- Few rows in few pages: what a sample of pages can miss altogether.
      keys := array(select x.id::text from (select u.id from auth.users u tablesample bernoulli (v_share) order by random() limit p_most) x order by x.id);
    end if;
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
end $body$;

-- Some of the kept contacts whose rows are gone, and about how many there are.
create function rollcall.plan_sample_gone(p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' set row_security = off as $body$
declare
  v_all bigint := (select greatest(c.reltuples, 0)::bigint from pg_catalog.pg_class c where c.oid = 'rollcall_kept.contacts'::regclass);
  v_some text[];
begin
  if v_all < p_most * 10 then select count(*) into v_all from rollcall_kept.contacts; end if;
  v_some := array(select k.key from rollcall_kept.contacts k
    tablesample system (case when v_all <= p_most then 100 else least(100, 300.0 * p_most / v_all) end) order by random() limit p_most);
  begin
    keys := array(select k from unnest(v_some) k where case when k like 'email:%' then true
      else not exists (select from auth.users u where u.id = k::uuid) end);
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  people := case when cardinality(v_some) = 0 then 0 else v_all * cardinality(keys) / cardinality(v_some) end;
end $body$;

-- The first of those whom a table makes contacts of and who are none yet, and about how many there are.
create function rollcall.plan_sample_rows(p_phase int, p_most int, out people bigint, out keys text[]) language plpgsql
set search_path = '' as $body$
declare
  v_page rollcall.sweep_keys;
begin
  begin
    v_page := rollcall.sweep_rows(p_phase, null, p_most);
    select greatest(c.reltuples, v_page.scanned)::bigint into people
      from rollcall.parts p join rollcall.sources s on s.name = p.source join pg_catalog.pg_class c on c.oid = to_regclass(s.relation)
     where p.page_function is not null order by p.function offset p_phase - 1 limit 1;
    raise exception 'read' using errcode = 'RC000';
  exception when sqlstate 'RC000' then null;
  end;
  if v_page.scanned < p_most then people := v_page.scanned; end if;
  keys := v_page.keys;
  if to_regclass('rollcall_kept.contacts') is not null then
    keys := array(select k from unnest(v_page.keys) k where not exists (select from rollcall_kept.contacts c where c.key = k));
  end if;
  people := case when coalesce(v_page.scanned, 0) = 0 then 0 else people * cardinality(keys) / v_page.scanned end;
end $body$;

-- Contacts for some of them.
create function rollcall.plan_sample_contacts(p_keys text[]) returns void language sql set search_path = '' ${KEYS_FIRST} as $body$
  insert into rollcall.own_contacts (key) select k from unnest(rollcall.living_keys(p_keys)) k
   where not exists (select from rollcall.contacts c where c.key = k offset 0)
$body$;
`;
