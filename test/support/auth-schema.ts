/** `auth.users` as Supabase Auth's migrations leave it (columns, generated column, partial unique index, RLS on). */
export const AUTH_SCHEMA = /* sql */ `
create schema auth;
create table auth.users (
  instance_id uuid, id uuid not null primary key, aud varchar(255), role varchar(255), email varchar(255),
  encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz,
  confirmation_token varchar(255), confirmation_sent_at timestamptz, recovery_token varchar(255), recovery_sent_at timestamptz,
  email_change_token_new varchar(255), email_change varchar(255), email_change_sent_at timestamptz, last_sign_in_at timestamptz,
  raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz, updated_at timestamptz,
  phone text unique default null, phone_confirmed_at timestamptz, phone_change text default '',
  phone_change_token varchar(255) default '', phone_change_sent_at timestamptz,
  confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
  email_change_token_current varchar(255) default '', email_change_confirm_status smallint default 0,
  banned_until timestamptz, reauthentication_token varchar(255) default '', reauthentication_sent_at timestamptz,
  is_sso_user boolean not null default false, deleted_at timestamptz, is_anonymous boolean not null default false
);
create unique index users_email_partial_key on auth.users (email) where is_sso_user = false;
alter table auth.users enable row level security;

do $$ begin
  if not exists (select from pg_roles where rolname = 'supabase_auth_admin') then
    create role supabase_auth_admin login password 'postgres' noinherit createrole;
  end if;
  if not exists (select from pg_roles where rolname = 'hosted') then
    -- What the role "postgres" is on hosted Supabase: no superuser, owner of nothing in auth, past row security.
    create role hosted login password 'postgres' nosuperuser createdb createrole bypassrls;
  end if;
end $$;
grant usage, create on schema auth to supabase_auth_admin;
alter schema auth owner to supabase_auth_admin;
alter table auth.users owner to supabase_auth_admin;
grant usage on schema auth to hosted;
grant all on auth.users to hosted;
`;
