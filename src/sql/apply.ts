import type { Config } from '../config/types.ts';
import type { Foreseen } from './foresee.ts';
import { inspectSources } from './inspect/sources.ts';
import { installScript, UNINSTALL_SCRIPT } from './install-script.ts';
import type { Sql } from './port.ts';

/**
 * Installs or updates the database side, in one transaction, and binds a new install to this database.
 * Safe to run twice, and by two processes at once.
 * @param projectRef see `projectRef`
 * @param announced what somebody was told of and said yes to: as much passes the brakes
 * @throws RollcallError, or the driver's error (SQLSTATE RC002 when the install is bound to another database)
 */
export async function applyInstall(
  sql: Sql,
  config: Config,
  projectRef: string,
  announced: readonly Foreseen[] = [],
): Promise<void> {
  await sql.transaction(async (tx) => {
    const script = installScript(config, await inspectSources(tx, config));
    await tx.script(script);
    await tx.query(
      `select case when i.identity is null then rollcall.bind($1, $2) else rollcall.check_identity($1, $2) end from rollcall.install i`,
      [projectRef, config.environment],
    );
    for (const { destination, leaving, changing } of announced) {
      for (const [kind, n] of [['deletes', leaving] as const, ['changes', changing] as const]) {
        if (n === 0) continue;
        await tx.query('select rollcall.allow(d.id, $2, $3) from rollcall.destinations d where d.name = $1', [
          destination,
          kind,
          n,
        ]);
      }
    }
  });
}

/** Removes everything Rollcall put into the database. */
export async function uninstall(sql: Sql): Promise<void> {
  await sql.transaction((tx) => tx.script(UNINSTALL_SCRIPT));
}
