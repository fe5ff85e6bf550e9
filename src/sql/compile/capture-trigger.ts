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
      -- A full join is never done by nested loops: the plan is made for the session's first statement, which is a small one.
      select array_agg(coalesce(n.id, o.id)::text) into v_keys
        from rollcall_new n full join rollcall_old o on o.id = n.id
       where n.id is null or o.id is null or ${image('n')}::record *<> ${image('o')}::record;
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
  exception when others or assert_failure then
    begin
      perform nextval('rollcall.uncaptured');
    exception when others or assert_failure then
      null;
    end;
  end;
  return null;
end`;
  const trigger = (name: string, event: string): string => `  if not exists (select from pg_catalog.pg_trigger t
      where t.tgrelid = 'auth.users'::regclass and t.tgname = '${name}' and t.tgenabled = 'O'
        and t.tgfoid = 'rollcall.capture_users()'::regprocedure) then
    create or replace trigger ${name} after ${event} for each statement execute function rollcall.capture_users();
  end if;`;
  return `create or replace function rollcall.capture_users() returns trigger
language plpgsql security definer set search_path = '' set lock_timeout = '20ms' as ${dollarQuote(body)};
-- A trigger that is there is left alone: to replace it takes a lock that stops every writer.
do ${dollarQuote(`begin
${trigger('rollcall_insert', 'insert on auth.users referencing new table as rollcall_new')}
${trigger('rollcall_update', 'update on auth.users referencing old table as rollcall_old new table as rollcall_new')}
${trigger('rollcall_delete', 'delete on auth.users referencing old table as rollcall_old')}
${trigger('rollcall_truncate', 'truncate on auth.users')}
end`)};`;
}
