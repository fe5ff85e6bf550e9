/**
 * What must be so at the destination, as plain SQL over the app's tables; written from the rules in SPEC.md, and from nothing
 * that the product is made of. Everything is in a schema of its own.
 */
export const ORACLE = /* sql */ `
create schema oracle;

create function oracle.address(raw text) returns text language sql immutable as $$
  select case when length(a) <= 320 then nullif(a, '') end from (select lower(normalize(btrim(raw, E' \\t\\r\\n'))) as a) x $$;

-- 'waiting' may become a contact without being asked again; 'out' has left or is filtered.
create view oracle.users as
select u.id, u.id::text as key, oracle.address(u.email) as address,
       case when u.deleted_at is not null or u.banned_until > now() then 'out'
            when u.is_anonymous then 'waiting'
            when coalesce(u.raw_user_meta_data ->> 'role', '') = 'test' then 'out'
            when oracle.address(u.email) is null or u.email_confirmed_at is null then 'waiting'
            else 'ok' end as standing
  from auth.users u;

-- Whom a row of customers is about.
create view oracle.customers as
select c.*, oracle.address(c.email) as mail, coalesce(c.user_id::text, 'email:' || oracle.address(c.email)) as key from public.customers c;

create view oracle.living as
select u.key, u.address, u.id as user_id from oracle.users u where u.standing = 'ok'
union all
select 'email:' || x.mail, x.mail, null from (
  select distinct c.mail from oracle.customers c where c.user_id is null and c.mail is not null and c.archived is not true) x
 where not exists (select from oracle.users u where u.standing = 'ok' and u.address = x.mail);

create view oracle.contacts as
select l.key, l.address, jsonb_strip_nulls(jsonb_build_object(
    'FIRSTNAME', coalesce(p.full_name, c."fullName", u.raw_user_meta_data ->> 'full_name'),
    'CITY', coalesce(p.city, c.address ->> 'city'),
    'PLAN', c.plan,
    'TIER', upper(c.plan),
    'PAYMENTS', (select count(*) from public.payments x where x.status = 'paid' and x.user_id = l.user_id),
    'LTV', (select sum(x.amount) from public.payments x where x.status = 'paid' and x.user_id = l.user_id),
    'PAID_ON', (select to_char(max(x.paid_at) at time zone 'UTC', 'YYYY-MM-DD') from public.payments x
                 where oracle.address(x.customer_email) = l.address),
    'BASKET', (select sum(o.total) from public.orders o join oracle.customers x on x.id = o.customer_id
                where o.total > 0 and (x.user_id = l.user_id or x.user_id is null and x.mail = l.address))
  )) as fields
  from oracle.living l
  left join auth.users u on u.id = l.user_id
  left join public.profiles p on p.id = l.user_id
  left join lateral (
    select x.* from oracle.customers x
     where (x.user_id = l.user_id or x.user_id is null and x.mail = l.address) and x.archived is not true
     order by x.created_at desc, x.id desc limit 1) c on true;
`;

/**
 * A record of every row event, written by plain row triggers in the transaction of the row, so that it is rolled back with it.
 */
export const AUDIT = /* sql */ `
create table oracle.audit (
  id bigint generated always as identity primary key,
  turn int not null,             -- of the command
  name text not null,            -- the event's name
  row_key text not null,         -- table and primary key
  customer text,                 -- the row of customers it leads through
  key text,                      -- of the contact, as things stood then
  wanted boolean not null,       -- what its condition says
  certain boolean not null,      -- false where it is not defined whether it is an event
  properties jsonb not null
);

create function oracle.record(p_name text, p_row text, p_customer text, p_key text, p_wanted boolean, p_certain boolean, p_properties jsonb)
returns void language sql as $$
  insert into oracle.audit (turn, name, row_key, customer, key, wanted, certain, properties)
  values (coalesce(nullif(current_setting('oracle.turn', true), '')::int, -1), p_name, p_row, p_customer, p_key,
          coalesce(p_wanted, false), p_certain, p_properties)
$$;

create function oracle.audit_user() returns trigger language plpgsql security definer as $$
begin
  perform oracle.record('signed_up', 'users ' || new.id, null, new.id::text, true, not new.is_anonymous,
    jsonb_build_object('rev', new.raw_user_meta_data ->> 'rev', 'name', new.raw_user_meta_data ->> 'full_name'));
  return null;
end $$;
create trigger oracle_audit after insert on auth.users for each row execute function oracle.audit_user();

create function oracle.audit_order() returns trigger language plpgsql security definer as $$
begin
  perform oracle.record('order_placed', 'orders ' || new.id, new.customer_id,
    (select c.key from oracle.customers c where c.id = new.customer_id), new.total > 0, true,
    jsonb_build_object('rev', new.rev, 'amount', new.total, 'customer', new.customer_id,
      'placed_at', to_char(new."placedAt" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
  return null;
end $$;
create trigger oracle_audit after insert on public.orders for each row execute function oracle.audit_order();

create function oracle.audit_ticket() returns trigger language plpgsql security definer as $$
declare
  r public.tickets := case when tg_op = 'DELETE' then old else new end;
begin
  perform oracle.record('ticket_changed', format('tickets %s %s', r.team, r.nr), null, r.user_id::text,
    tg_op = 'DELETE' or old.status is distinct from new.status,
    tg_op = 'DELETE' or (old.team, old.nr) = (new.team, new.nr),
    jsonb_build_object('team', r.team, 'nr', r.nr, 'state', lower(r.status), 'rev', r.rev));
  return null;
end $$;
create trigger oracle_audit after update or delete on public.tickets for each row execute function oracle.audit_ticket();
`;

/** How things stand for everybody: read after each commit. */
export const STANDING = /* sql */ `
select (select coalesce(json_object_agg(key, standing), '{}') from oracle.users) as users,
       (select coalesce(json_object_agg(key, address), '{}') from oracle.living) as living,
       (select coalesce(json_object_agg(id, key), '{}') from oracle.customers) as customers,
       (select coalesce(json_object_agg(address, n), '{}') from (
          select address, count(*) as n from oracle.users where standing = 'ok' group by address) x) as owners`;

/** The properties as text: JavaScript would round them. */
export const AUDITED = /* sql */ `
select id::int, turn, name, row_key as "row", customer, key, wanted, certain, properties::text from oracle.audit order by id`;

/** The contacts there must be. */
export const CONTACTS = /* sql */ `select key, address, fields::text from oracle.contacts order by address, key`;
