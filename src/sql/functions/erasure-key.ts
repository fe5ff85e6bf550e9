import { KEYS_FIRST } from './plan-settings.ts';

/** Its name in Vault, where there is one. */
export const VAULT_NAME = 'rollcall_erasure_key';
/** What begins all that is a keyed hash in place of a text. */
export const HASHED = '#';

/**
 * The keyed hash of the erased: HMAC-SHA256 (RFC 2104), made of the built-in sha256(). The key is in no table of ours: it stands in
 * Vault, or the worker gives it to each transaction (`store/erasure-key.ts`), in which it is a setting and nothing more.
 */
export const erasureKey: string = /* sql */ `
-- Takes the key for the rest of the transaction, and gives back the first value: as an argument of a call it is there before the call.
create or replace function rollcall.with_key(p_value text, p_key text) returns text language plpgsql set search_path = '' as $body$
begin
  if p_key is not null then perform set_config('rollcall.erasure_key', p_key, true); end if;
  return p_value;
end $body$;

-- The key in Vault, else the one that was given; null where neither is.
create or replace function rollcall.erasure_key() returns text language plpgsql stable set search_path = '' as $body$
declare
  v_key text;
begin
  begin
    if to_regclass('vault.decrypted_secrets') is not null then
      execute 'select decrypted_secret::text from vault.decrypted_secrets where name = $1' into v_key using '${VAULT_NAME}';
    end if;
  exception when insufficient_privilege then null;
  end;
  return coalesce(nullif(v_key, ''), nullif(current_setting('rollcall.erasure_key', true), ''));
end $body$;

-- The two blocks that every hash by a key begins with.
create or replace function rollcall.key_pads(p_key text) returns bytea language plpgsql immutable set search_path = '' as $body$
declare
  v_key bytea := convert_to(p_key, 'UTF8');
  v_inner bytea := decode(repeat('36', 64), 'hex');
  v_outer bytea := decode(repeat('5c', 64), 'hex');
begin
  if length(v_key) > 64 then v_key := sha256(v_key); end if;
  for n in 0 .. length(v_key) - 1 loop
    v_inner := set_byte(v_inner, n, get_byte(v_inner, n) # get_byte(v_key, n));
    v_outer := set_byte(v_outer, n, get_byte(v_outer, n) # get_byte(v_key, n));
  end loop;
  return v_inner || v_outer;
end $body$;

-- Inlined, so it has no settings; everything in it is named with its schema.
create or replace function rollcall.hmac_of(p_pads bytea, p_text text) returns bytea language sql immutable as $body$
  select pg_catalog.sha256(pg_catalog.substr(p_pads, 65, 64)
    || pg_catalog.sha256(pg_catalog.substr(p_pads, 1, 64) || pg_catalog.convert_to(p_text, 'UTF8')))
$body$;
create or replace function rollcall.check_value(p_pads bytea) returns bytea language sql immutable as $body$
  select rollcall.hmac_of(p_pads, 'rollcall erasure key')
$body$;

-- The pads of the key, null where it is not known here. Another key than the first one is refused. Kept for the transaction, as Vault
-- decrypts at each look; whatever stands there is checked like any other.
create or replace function rollcall.erasure_pads() returns bytea language plpgsql stable set search_path = '' as $body$
declare
  v_check bytea := (select i.erasure_check from rollcall.install i);
  v_kept text := current_setting('rollcall.erasure_pads', true);
  v_pads bytea;
  v_key text;
begin
  if length(v_kept) = 256 and v_kept ~ '^[0-9a-f]*$' and v_check is not null then
    v_pads := decode(v_kept, 'hex');
    if rollcall.check_value(v_pads) = v_check then return v_pads; end if;
  end if;
  v_key := rollcall.erasure_key();
  if v_key is null then return null; end if;
  v_pads := rollcall.key_pads(v_key);
  if v_check <> rollcall.check_value(v_pads) then
    raise exception 'this is not the key that the erased were hashed with' using errcode = 'RC062';
  end if;
  perform set_config('rollcall.erasure_pads', encode(v_pads, 'hex'), true);
  return v_pads;
end $body$;

create or replace function rollcall.required_pads() returns bytea language plpgsql stable set search_path = '' as $body$
declare
  v_pads bytea := rollcall.erasure_pads();
begin
  if v_pads is null then raise exception 'the key of erasures is not known here' using errcode = 'RC061'; end if;
  return v_pads;
end $body$;

-- The first key that something is hashed with is the key from then on.
create or replace function rollcall.settle_key() returns void language plpgsql set search_path = '' as $body$
declare
  v_pads bytea := rollcall.required_pads();
begin
  update rollcall.install i set erasure_check = rollcall.check_value(v_pads) where i.erasure_check is null;
  -- Somebody may have been first.
  perform rollcall.required_pads();
end $body$;

-- The same order as the texts.
create or replace function rollcall.keyed_hashes(p_texts text[]) returns bytea[] language plpgsql stable set search_path = '' as $body$
declare
  v_pads bytea := rollcall.required_pads();
begin
  return array(select rollcall.hmac_of(v_pads, t) from unnest(p_texts) with ordinality as x(t, n) order by n);
end $body$;

-- What stands in place of a text that is erased.
create or replace function rollcall.hashed(p_text text) returns text language sql stable set search_path = '' as $body$
  select '${HASHED}' || encode(rollcall.hmac_of(rollcall.required_pads(), p_text), 'hex')
$body$;

-- The id of a fact of the erased: the same for the same fact, told again.
create or replace function rollcall.hashed_fact(p_id text) returns text language sql stable set search_path = '' as $body$
  select case when p_id like '${HASHED}%' then p_id else rollcall.hashed('fact ' || p_id) end
$body$;

-- Whether anything is hashed. Nearly everywhere nothing is, and no key is needed.
create or replace function rollcall.has_hashed() returns boolean language sql stable set search_path = '' ${KEYS_FIRST} as $body$
  select exists (select from rollcall.tombstones) or exists (select from rollcall.consent f where f.id like '${HASHED}%')
$body$;

-- Fails where something is hashed and the key is not known, or is another one: whoever is not known could be somebody erased.
create or replace function rollcall.check_erasure_key() returns void language plpgsql stable set search_path = '' as $body$
begin
  if rollcall.has_hashed() then perform rollcall.required_pads(); end if;
end $body$;

-- Whether it can be told what has been said of anybody.
create or replace function rollcall.can_tell() returns boolean language plpgsql stable set search_path = '' as $body$
begin
  return not rollcall.has_hashed() or rollcall.erasure_pads() is not null;
exception when sqlstate 'RC062' then
  return false;
end $body$;

-- The forms in which a person or an address may stand in the facts.
create or replace function rollcall.hashed_forms(p_text text) returns text[] language plpgsql stable set search_path = '' as $body$
begin
  if p_text is null then return '{}'; end if;
  if not rollcall.has_hashed() then return array[p_text]; end if;
  return array[p_text, rollcall.hashed(p_text)];
end $body$;
`;
