import { RollcallError } from '../../core/errors.ts';
import { MIGRATIONS } from '../install-script.ts';
import type { Queryable } from '../port.ts';

/** What each migration makes, by name. */
const MADE: readonly { readonly version: number; readonly names: readonly string[] }[] = MIGRATIONS.map(
  ({ version, sql }) => ({
    version,
    names: [...sql.matchAll(/^create (?:unlogged )?(?:table|sequence) rollcall\.(\w+)/gm)].map(
      ([, name]) => name ?? '',
    ),
  }),
);

/**
 * Checks that nothing of an earlier install was taken away: a migration runs once, so an apply would not bring it back.
 * @throws RollcallError `RC_NOT_INSTALLED` with the name of what is missing
 */
export async function checkInstall(tx: Queryable): Promise<void> {
  const [schema] = await tx.query<{ migrations: boolean; some: boolean }>(
    `select to_regclass('rollcall.migrations') is not null as migrations, to_regclass('rollcall.install') is not null as some`,
  );
  if (schema?.migrations !== true && schema?.some !== true) return;
  if (!schema.migrations) throw damaged('rollcall.migrations');
  const applied = await tx.query<{ version: number }>('select version from rollcall.migrations');
  const names = MADE.filter((m) => applied.some((row) => row.version === m.version)).flatMap((m) => m.names);
  const [missing] = await tx.query<{ name: string }>(
    `select x.name from unnest($1::text[]) as x(name) where to_regclass('rollcall.' || x.name) is null limit 1`,
    [names],
  );
  if (missing !== undefined) throw damaged(`rollcall.${missing.name}`);
}

function damaged(name: string): RollcallError {
  return new RollcallError(
    'RC_NOT_INSTALLED',
    `Rollcall is installed in this database only in part: ${name} is missing.`,
    {
      hint: 'Restore it, or run `rollcall uninstall` and then `rollcall apply`: every contact is looked at again, and what was delivered is forgotten.',
    },
  );
}
