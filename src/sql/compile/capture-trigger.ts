import { dollarQuote, quoteIdent } from '../quote.ts';

/** The triggers on `auth.users`, by name. */
export const TRIGGERS: readonly string[] = [
  'rollcall_insert',
  'rollcall_update',
  'rollcall_delete',
  'rollcall_truncate',
];

/**
 * The fixed shell around capture, and its triggers. Whatever goes wrong inside, the app's statement goes on: the failure
 * bumps a sequence (which no rollback undoes) and a sweep follows. `lock_timeout` bounds every wait, because a statement
 * timeout while waiting for a lock is the one error that `when others` does not catch.
 *
 * CREATE OR REPLACE TRIGGER needs the TRIGGER privilege only; a role that does not own the table can do no more.
 * @param watched columns (names in the database) whose change can change a contact
 */
export function captureTriggers(watched: readonly string[]): string {
  const image = (alias: string): string => `row(${watched.map((c) => `${alias}.${quoteIdent(c)}`).join(', ')})`;
  const body = `declare
  v_keys text[];
begin
  begin
    if tg_op = 'UPDATE' then
      -- Record images: they differ where values that compare equal do (citext, json), and json has no equality at all.
      select array_agg(x.key) into v_keys from (
        select n.id::text as key from rollcall_new n left join rollcall_old o on o.id = n.id
         where o.id is null or ${image('n')}::record *<> ${image('o')}::record
        union all
        select o.id::text from rollcall_old o left join rollcall_new n on n.id = o.id where n.id is null) x;
    elsif tg_op = 'INSERT' then
      select array_agg(n.id::text) into v_keys from rollcall_new n;
    elsif tg_op = 'DELETE' then
      select array_agg(o.id::text) into v_keys from rollcall_old o;
    else
      perform nextval('rollcall.uncaptured');
    end if;
    if v_keys is not null then
      perform rollcall.capture(1::smallint, v_keys);
    end if;
  exception when others then
    begin
      perform nextval('rollcall.uncaptured');
    exception when others then
      null;
    end;
  end;
  return null;
end`;
  const on = `on auth.users`;
  const run = 'for each statement execute function rollcall.capture_users()';
  return `create or replace function rollcall.capture_users() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '20ms' as ${dollarQuote(body)};
create or replace trigger rollcall_insert after insert ${on} referencing new table as rollcall_new ${run};
create or replace trigger rollcall_update after update ${on} referencing old table as rollcall_old new table as rollcall_new ${run};
create or replace trigger rollcall_delete after delete ${on} referencing old table as rollcall_old ${run};
create or replace trigger rollcall_truncate after truncate ${on} ${run};`;
}
