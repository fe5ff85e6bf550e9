import { type Host, registerExtension } from './platform/extension.ts';

/**
 * A stand-in of supabase_vault 0.3.1: its table, view and functions with their signatures. `secret` is base64 here, where the
 * extension encrypts; a row that was inserted past `create_secret` makes the view fail as it does there.
 */
const VAULT = `
create schema vault;
create table vault.secrets (
  id uuid primary key default gen_random_uuid(), name text, description text not null default '', secret text not null,
  key_id uuid, nonce bytea, created_at timestamptz not null default now(), updated_at timestamptz not null default now());
create unique index secrets_name_idx on vault.secrets (name) where name is not null;
create view vault.decrypted_secrets as
  select id, name, description, secret, convert_from(decode(secret, 'base64'), 'utf8') as decrypted_secret,
         key_id, nonce, created_at, updated_at from vault.secrets;
create function vault.create_secret(new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null)
returns uuid language sql security definer set search_path = '' as $$
  insert into vault.secrets (secret, name, description) values (encode(convert_to(new_secret, 'utf8'), 'base64'), new_name, new_description)
  returning id $$;
create function vault.update_secret(secret_id uuid, new_secret text default null, new_name text default null,
  new_description text default null, new_key_id uuid default null) returns void language sql security definer set search_path = '' as $$
  update vault.secrets set secret = coalesce(encode(convert_to(new_secret, 'utf8'), 'base64'), secret), name = coalesce(new_name, name),
    description = coalesce(new_description, description), updated_at = now() where id = secret_id $$;`;

/** What a hosted project grants to its role. */
const GRANTS = `grant usage on schema vault to hosted; grant select, delete on vault.secrets, vault.decrypted_secrets to hosted`;

/** Makes a Vault in a test's database, for the role of a hosted project unless `granted` is false. */
export async function createVault(db: Host, granted = true): Promise<void> {
  await db.app.query(VAULT);
  await registerExtension(db, 'supabase_vault', 'vault', '0.3.1');
  if (granted) await db.app.query(GRANTS);
}

/** Writes a secret, or another value of one that is there. */
export async function putSecret(db: Host, name: string, value: string): Promise<void> {
  await db.app.query(
    `select case when s.id is null then vault.create_secret($2, $1)::text else vault.update_secret(s.id, $2)::text end
       from (values ($1)) as x(name) left join vault.secrets s on s.name = x.name`,
    [name, value],
  );
}
