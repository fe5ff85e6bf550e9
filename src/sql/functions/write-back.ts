import { KEYS_FIRST } from './plan-settings.ts';

/** Writing what people have said where the app sees it. It is the app's own table: nobody there waits for us, and what fails is tried again. */
export const writeBack: string = /* sql */ `
-- Of these contacts, who has said something that is not written yet. Nothing is written of a yes before there was a no.
create or replace function rollcall.note_write_backs(p_rows rollcall.mapped[]) returns void
language plpgsql set search_path = '' ${KEYS_FIRST} as $body$
begin
  if not exists (select from rollcall.install i where cardinality(i.write_backs) > 0) then return; end if;
  insert into rollcall.write_backs as w (contact_id, said, at, due_at)
    select c.id, t.said, t.since, clock_timestamp()
      from unnest(p_rows) m
      cross join lateral (select c.id from rollcall.contacts c where c.key = m.key offset 0) c
      cross join lateral rollcall.standing(rollcall.person_of(m.key), m.address) t
     where m.verdict = 'ok' and (t.said = 'opted_out'
        or t.said = 'opted_in' and exists (select from rollcall.write_backs b where b.contact_id = c.id offset 0))
     order by c.id
  on conflict (contact_id) do update
     set said = excluded.said, at = excluded.at, due_at = excluded.due_at, tries = 0, code = null
   where w.said <> excluded.said;
end $body$;

-- Writes what is due, of a few people, and says how many are left that are due by now. No search_path: triggers of the app's tables run
-- with the one they are used to.
create or replace function rollcall.write_back(p_limit int, out written int, out failed int, out more boolean, out code text)
language plpgsql as $body$
declare
  v_row record;
  v_function name;
  v_rows bigint;
  v_held boolean;
begin
  written := 0; failed := 0;
  for v_row in
    select w.contact_id, w.said, w.at, w.tries, c.key, rollcall.person_of(c.key)::uuid as person, s.address,
           (select a.answer from rollcall.answers a where a.contact_id = w.contact_id) as answer
      from rollcall.write_backs w
      join rollcall.contacts c on c.id = w.contact_id
      left join lateral (select s.address from rollcall.desired s where s.contact_id = w.contact_id and s.address is not null limit 1) s on true
     where w.due_at <= pg_catalog.clock_timestamp()
     order by w.due_at limit p_limit
       for update of c skip locked
  loop
    begin
      v_held := false;
      for v_function in select x from rollcall.install i cross join pg_catalog.unnest(i.write_backs) x loop
        execute pg_catalog.format('select rollcall.%I($1, $2, $3, $4, $5)', v_function)
          into v_rows using v_row.person, coalesce(v_row.address, case when v_row.person is null then pg_catalog.substr(v_row.key, 7) end), v_row.said = 'opted_out', v_row.at, v_row.answer;
        -- The app has said something since: that is folded first.
        v_held := v_held or v_rows < 0;
      end loop;
      update rollcall.write_backs w
         set written = case when v_held then w.written else v_row.said end, code = null, tries = 0,
             due_at = case when v_held then pg_catalog.clock_timestamp() + interval '200 milliseconds' end
       where w.contact_id = v_row.contact_id and w.said = v_row.said;
      written := written + 1;
    exception
    when query_canceled or admin_shutdown or deadlock_detected then
      raise;
    when others then
      failed := failed + 1;
      code := sqlstate;
      update rollcall.write_backs w
         set code = sqlstate, tries = w.tries + 1,
             -- A row that the app holds is soon free.
             due_at = pg_catalog.clock_timestamp() + case when sqlstate = '55P03' then interval '200 milliseconds'
               else least(interval '10 minutes', interval '1 second' * 2 ^ least(w.tries, 12)) end
       where w.contact_id = v_row.contact_id;
    end;
  end loop;
  more := exists (select from rollcall.write_backs w where w.due_at <= pg_catalog.clock_timestamp() limit 1);
end $body$;

-- What we have written into the column of the answers is no answer.
create or replace function rollcall.wrote_answer(p_person uuid, p_address text, p_answer text) returns void
language sql set search_path = '' ${KEYS_FIRST} as $body$
  update rollcall.answers a set answer = p_answer, said_at = clock_timestamp()
   where a.contact_id = (select c.id from rollcall.contacts c where c.key = coalesce(p_person::text, 'email:' || p_address))
$body$;
`;
