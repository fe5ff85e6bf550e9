import type { Env } from '../../config/interpolate.ts';
import { type Queryable, sqlState } from '../../sql/port.ts';
import { EDGE_KEY_SECRET } from '../../sql/functions/edge.ts';

/** The name in Vault of the token that Database Webhooks are sent with, beside the keys. */
const HOOK_TOKEN_SECRET = 'rollcall_hook_token';
/** Vault is asked again so soon for a key that nobody knows, and not sooner: anybody can send one. */
const ASK_AGAIN_MS = 10_000;
/** Shorter ones are none. */
const SHORTEST = 16;

/** Who may call: the keys that wake us, and with the token of Database Webhooks those that may give a hint. */
export type CallerKind = 'wake' | 'hint';

/** What `Callers` reads Vault with; rejects where the database does not answer. */
export type ReadSecret = (name: string) => Promise<string | undefined>;

export interface Callers {
  /** Whether the headers have a key that is allowed. The compare takes as long whatever differs. */
  may(headers: Headers, kind: CallerKind): Promise<boolean>;
  /** A key to call ourselves with, where one is known by now. */
  ownKey(): string | undefined;
}

/**
 * The function checks its callers itself, as keys of the newer kind are no JWTs that the platform could check. Allowed are our own key
 * (`ROLLCALL_EDGE_KEY`, or `rollcall_edge_key` in Vault) and the project's secret ones (`SUPABASE_SECRET_KEYS`, a JSON object;
 * `SUPABASE_SERVICE_ROLE_KEY`), as `apikey` or as a bearer token: supabase.com/docs/guides/getting-started/migrating-to-new-api-keys.
 * For hints also `ROLLCALL_HOOK_TOKEN`, or `rollcall_hook_token` in Vault.
 * @param now milliseconds of a clock that nobody sets
 */
export function createCallers(env: Env, readSecret: ReadSecret, now: () => number): Callers {
  const given = {
    wake: usable([
      env['ROLLCALL_EDGE_KEY'],
      ...secretKeys(env['SUPABASE_SECRET_KEYS']),
      env['SUPABASE_SERVICE_ROLE_KEY'],
    ]),
    hint: usable([env['ROLLCALL_HOOK_TOKEN']]),
  };
  let vault: { readonly at: number; readonly wake: readonly string[]; readonly hint: readonly string[] } | undefined;
  const keys = (kind: CallerKind): readonly string[] => {
    const wake = [...given.wake, ...(vault?.wake ?? [])];
    return kind === 'wake' ? wake : [...wake, ...given.hint, ...(vault?.hint ?? [])];
  };
  const askVault = async (): Promise<void> => {
    const at = now();
    const [wake, hint] = await Promise.all([readSecret(EDGE_KEY_SECRET), readSecret(HOOK_TOKEN_SECRET)]);
    vault = { at, wake: usable([wake]), hint: usable([hint]) };
  };
  return {
    async may(headers, kind) {
      const said = usable([headers.get('apikey') ?? undefined, bearerOf(headers.get('authorization'))]);
      if (said.length === 0) return false;
      if (await isAny(said, keys(kind))) return true;
      if (vault !== undefined && now() - vault.at < ASK_AGAIN_MS) return false;
      await askVault();
      return await isAny(said, keys(kind));
    },
    ownKey: () => keys('wake')[0],
  };
}

/** No Vault here, or none that we may read. */
const NO_VAULT: readonly (string | undefined)[] = ['3F000', '42P01', '42501'];

/** A secret by its name; undefined where Vault has none, or where there is no Vault. @throws the driver's error otherwise */
export async function secretOf(sql: Queryable, name: string): Promise<string | undefined> {
  try {
    const [row] = await sql.query<{ value: string | null }>(
      'select decrypted_secret::text as value from vault.decrypted_secrets where name = $1',
      [name],
    );
    return row?.value ?? undefined;
  } catch (error) {
    if (NO_VAULT.includes(sqlState(error))) return undefined;
    throw error;
  }
}

function bearerOf(header: string | null): string | undefined {
  return /^bearer +(\S+)$/i.exec(header?.trim() ?? '')?.[1];
}

/** `{"default": "sb_secret_..."}`; anything else holds none. */
function secretKeys(text: string | undefined): readonly (string | undefined)[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    const values: unknown[] = typeof parsed === 'object' && parsed !== null ? Object.values(parsed) : [];
    return values.filter((value) => typeof value === 'string');
  } catch {
    return [];
  }
}

function usable(keys: readonly (string | undefined)[]): readonly string[] {
  return keys.filter((key): key is string => key !== undefined && key.length >= SHORTEST);
}

const encoder = new TextEncoder();

async function isAny(said: readonly string[], keys: readonly string[]): Promise<boolean> {
  const digests = await Promise.all(keys.map(digestOf));
  let found = false;
  for (const each of said) {
    const digest = await digestOf(each);
    // Every one of them is looked at, to its end.
    for (const key of digests) found = isEqual(digest, key) || found;
  }
  return found;
}

/** Of equal length, whatever was sent. */
async function digestOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let differs = 0;
  for (const [n, byte] of a.entries()) differs |= byte ^ (b[n] ?? 0);
  return differs === 0;
}
