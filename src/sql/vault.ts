import { RollcallError } from '../core/errors.ts';
import { type Queryable, sqlState } from './port.ts';
import { quoteIdent } from './quote.ts';

/**
 * Reads secrets from Supabase Vault (`vault.decrypted_secrets`, supabase_vault 0.3). One query each: by its unique name one row is
 * decrypted, and a row that was written past `vault.create_secret` spoils only itself.
 * @param names of the secrets, none twice
 * @param of what needs them, as in `destinations.sendry`
 * @returns name to value
 * @throws RollcallError `RC_VAULT_SECRET` when one is missing, empty, or can't be read; the driver's error when the database is gone
 */
export async function readSecrets(
  sql: Queryable,
  names: readonly string[],
  of: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of names) {
    const value = await readSecret(sql, name, of);
    if (value !== undefined) found.set(name, value);
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length === 0) return found;
  const [first = ''] = missing;
  const listed = missing.map((name) => `"${name}"`).join(', ');
  throw new RollcallError('RC_VAULT_SECRET', `Vault has nothing as ${listed}, which ${of} needs.`, {
    hint: `Create it: select vault.create_secret('<the value>', '${first.replaceAll("'", "''")}');`,
    place: { path: of },
  });
}

async function readSecret(sql: Queryable, name: string, of: string): Promise<string | undefined> {
  try {
    const [row] = await sql.query<{ value: string | null }>(
      'select decrypted_secret::text as value from vault.decrypted_secrets where name = $1',
      [name],
    );
    return row?.value === null || row?.value === '' ? undefined : row?.value;
  } catch (error) {
    throw (await unreadable(sql, error, name, of)) ?? error;
  }
}

/** What a database error says of Vault; undefined when it says nothing of it. */
async function unreadable(
  sql: Queryable,
  error: unknown,
  name: string,
  of: string,
): Promise<RollcallError | undefined> {
  const state = sqlState(error) ?? '';
  const about = { place: { path: of }, cause: error };
  if (state === '3F000' || state === '42P01') {
    return new RollcallError(
      'RC_VAULT_SECRET',
      `There is no Vault in this database, and ${of} needs "${name}" of it.`,
      {
        hint: 'Enable it (`create extension supabase_vault`), or take the value from the environment: ${NAME}.',
        ...about,
      },
    );
  }
  if (state === '42501') {
    const [row] = await sql.query<{ role: string }>('select current_user::text as role');
    const role = quoteIdent(row?.role ?? 'postgres');
    return new RollcallError(
      'RC_VAULT_SECRET',
      `The role ${role} may not read Vault, and ${of} needs "${name}" of it.`,
      {
        hint:
          `Grant it: grant usage on schema vault to ${role}; grant select on vault.decrypted_secrets to ${role}; ` +
          `grant execute on function vault._crypto_aead_det_decrypt to ${role};`,
        ...about,
      },
    );
  }
  // Of the data (invalid base64, a wrong root key) or of the extension's own functions.
  if (!/^(?:22|38|39|XX|P0)/.test(state)) return undefined;
  return new RollcallError('RC_VAULT_SECRET', `Vault can't decrypt "${name}", which ${of} needs.`, {
    hint: 'Write it anew with vault.update_secret: a row that was inserted past vault.create_secret is no secret.',
    ...about,
  });
}
