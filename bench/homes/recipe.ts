import type { Host } from '../../test/support/platform/extension.ts';
import { createNet } from '../../test/support/platform/net.ts';
import { createVault, putSecret } from '../../test/support/vault.ts';

/**
 * Installs Sendry's own recipe for Supabase (its guide "Sync Supabase auth users into a Sendry audience"), as it stands there but for
 * the address: two reads of Vault, a call of pg_net and a row of a log in the transaction of each sign-up.
 */
export async function installSendryRecipe(
  host: Host,
  { url, token, audience }: { readonly url: string; readonly token: string; readonly audience: string },
): Promise<void> {
  await createNet(host);
  await createVault(host);
  await putSecret(host, 'sendry_api_key', token);
  await putSecret(host, 'sendry_audience_id', audience);
  await host.app.query(`
    create table if not exists public.sendry_sync_log (
      id bigserial primary key, user_id uuid not null, request_id bigint not null, created_at timestamptz not null default now());
    create or replace function public.sync_user_to_sendry() returns trigger language plpgsql security definer
    set search_path = public, vault as $$
    declare
      api_key text;
      audience_id text;
      request_id bigint;
    begin
      select decrypted_secret into api_key from vault.decrypted_secrets where name = 'sendry_api_key';
      select decrypted_secret into audience_id from vault.decrypted_secrets where name = 'sendry_audience_id';
      if api_key is null or audience_id is null then
        raise warning 'sendry_api_key or sendry_audience_id not set in Vault';
        return new;
      end if;
      select net.http_post(
        url := '${url}/v1/contacts',
        headers := jsonb_build_object('authorization', 'Bearer ' || api_key, 'content-type', 'application/json'),
        body := jsonb_build_object(
          'email', new.email,
          'first_name', coalesce(new.raw_user_meta_data->>'first_name', null),
          'last_name', coalesce(new.raw_user_meta_data->>'last_name', null),
          'audience_id', audience_id,
          'properties', jsonb_build_object('supabase_user_id', new.id, 'signup_source', 'supabase'))
      ) into request_id;
      insert into public.sendry_sync_log (user_id, request_id) values (new.id, request_id);
      return new;
    end $$;
    create trigger on_auth_user_created_sync_sendry after insert on auth.users
    for each row execute function public.sync_user_to_sendry()`);
}
