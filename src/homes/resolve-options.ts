import { fillVault, secretNames } from '../config/fill-vault.ts';
import type { Config, DestinationConfig } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Queryable } from '../sql/port.ts';
import { readSecrets } from '../sql/vault.ts';
import type { Registry } from './configured.ts';

/**
 * A destination's entry with its secrets read from Vault: `options` can be sent with, and `account` is known. One without
 * secrets in Vault is given back as it is.
 * @throws RollcallError `RC_VAULT_SECRET`; the driver's error when the database is gone
 */
export async function resolveEntry(
  entry: DestinationConfig,
  sql: Queryable,
  registry: Registry,
): Promise<DestinationConfig> {
  const destination = registry.find((candidate) => candidate.id === entry.type);
  if (entry.vault === undefined || destination === undefined) return entry;
  return fillVault(entry, destination, await readSecrets(sql, secretNames(entry), `destinations.${entry.name}`));
}

/**
 * The options to send with: those of the config, with its secrets read from Vault. Where Vault says which account it is, that must
 * be the one that was applied: what was delivered to one says nothing of another.
 * @throws RollcallError `RC_VAULT_SECRET`, `RC_VAULT_ACCOUNT`; the driver's error when the database is gone
 */
export async function resolveOptions(entry: DestinationConfig, sql: Queryable, registry: Registry): Promise<unknown> {
  const { options, account } = await resolveEntry(entry, sql, registry);
  if (entry.account === undefined && account !== undefined) await checkAccount(entry.name, account, sql);
  return options;
}

async function checkAccount(name: string, account: string, sql: Queryable): Promise<void> {
  const [row] = await sql.query<{ account: string }>(
    `with first as (update rollcall.destinations d set account = $2 where d.name = $1 and d.account = '' returning d.account)
     select account from first union all
     select d.account from rollcall.destinations d where d.name = $1 and d.account <> ''`,
    [name, account],
  );
  if (row === undefined || row.account === account) return;
  const path = `destinations.${name}`;
  throw new RollcallError(
    'RC_VAULT_ACCOUNT',
    `Vault names another account for ${path} than the one that was applied.`,
    {
      hint: 'Run `rollcall apply`: everybody is sent to the new account. Or put the old secret back.',
      place: { path },
    },
  );
}

/** A config whose secrets were looked for. */
export interface ResolvedConfig {
  /** Destinations with a problem stay as they were: nothing can be sent with their options. */
  readonly config: Config;
  /** By the destination's name: `RC_VAULT_SECRET`. */
  readonly problems: ReadonlyMap<string, RollcallError>;
}

/**
 * A config with the secrets of all its destinations; one that is missing stands in no other's way.
 * @throws the driver's error when the database is gone
 */
export async function resolveConfig(config: Config, sql: Queryable, registry: Registry): Promise<ResolvedConfig> {
  const problems = new Map<string, RollcallError>();
  const destinations: DestinationConfig[] = [];
  for (const entry of config.destinations) {
    try {
      destinations.push(await resolveEntry(entry, sql, registry));
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      problems.set(entry.name, error);
      destinations.push(entry);
    }
  }
  return { config: { ...config, destinations }, problems };
}
