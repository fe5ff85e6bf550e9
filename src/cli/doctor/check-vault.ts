import { secretNames } from '../../config/fill-vault.ts';
import type { RollcallError } from '../../core/errors.ts';
import { registry } from '../../destinations/registry.ts';
import { resolveConfig } from '../../homes/resolve-options.ts';
import { type Queryable, sqlState } from '../../sql/port.ts';
import { count } from '../layout.ts';
import { type Check, error, type Finding, ok } from './finding.ts';

interface Facts {
  readonly installed: boolean;
  /** Names that the config asks for. */
  readonly wanted: readonly string[];
  /** What it does not give, as the worker would say it. */
  readonly problems: readonly RollcallError[];
  /** Rows that cannot be decrypted: whoever reads the whole view fails at the first of them. */
  readonly broken: readonly { readonly id: string; readonly name: string | null }[];
}

/** More rows than this are not looked at one by one. */
const MOST = 500;

/** Supabase Vault: whether what the config names is there, and can be read. */
export const vault: Check<Facts> = {
  area: 'vault',
  async read({ sql, config }) {
    const wanted = [...new Set(config.destinations.flatMap(secretNames))];
    const { problems } = await resolveConfig(config, sql, registry);
    const [there] = await sql.query<{ there: boolean }>(
      `select to_regclass('vault.decrypted_secrets') is not null as there`,
    );
    const installed = there?.there === true;
    return { installed, wanted, problems: [...problems.values()], broken: installed ? await broken(sql) : [] };
  },
  judge({ installed, wanted, problems, broken: rows }) {
    const findings: Finding[] = problems.map(({ code, message, hint }) => error(code, message, hint ?? ''));
    for (const { id, name } of rows) {
      findings.push(
        error(
          'RC_VAULT_BROKEN',
          `The row ${name ?? id} of vault.secrets can't be decrypted: it was inserted as plain text. Whoever reads vault.decrypted_secrets as a whole fails.`,
          `select vault.update_secret('${id}', '<the value>');`,
        ),
      );
    }
    if (findings.length > 0) return findings;
    if (!installed) return [ok('not installed, and the config asks nothing of it')];
    return [
      ok(
        wanted.length === 0
          ? 'it can be read; the config asks nothing of it'
          : `${count(wanted.length, 'secret')} of the config there`,
      ),
    ];
  },
};

async function broken(sql: Queryable): Promise<Facts['broken']> {
  try {
    await sql.query('select count(decrypted_secret) from vault.decrypted_secrets');
    return [];
  } catch (cause) {
    if (!ofTheData(cause)) throw cause;
  }
  const rows = await sql.query<{ id: string; name: string | null }>(
    'select s.id::text as id, s.name from vault.secrets s order by s.created_at limit $1',
    [MOST],
  );
  const found: Facts['broken'][number][] = [];
  for (const row of rows) {
    try {
      await sql.query('select length(decrypted_secret) from vault.decrypted_secrets where id = $1', [row.id]);
    } catch (cause) {
      if (!ofTheData(cause)) throw cause;
      found.push(row);
    }
  }
  return found;
}

/** Invalid base64, another root key, or a failure of the extension's own functions: see src/sql/vault.ts. */
function ofTheData(cause: unknown): boolean {
  return /^(?:22|38|39|XX|P0)/.test(sqlState(cause) ?? '');
}
