import type { Config } from '../config/types.ts';
import type { Foreseen } from './foresee.ts';
import { inspectSources } from './inspect/sources.ts';
import { installScript, UNINSTALL_SCRIPT } from './install-script.ts';
import type { Queryable, Sql } from './port.ts';

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
    await tx.script(installScript(config, await inspectSources(tx, config)));
    await bindOrCheck(tx, config, projectRef);
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

/**
 * Binds a new install to the database it is in; of another one it is checked.
 * @param projectRef see `projectRef`
 * @throws the driver's error: SQLSTATE RC002 when it is bound to another database
 */
export async function bindOrCheck(tx: Queryable, config: Config, projectRef: string): Promise<void> {
  await tx.query(
    `select case when i.identity is null then rollcall.bind($1, $2) else rollcall.check_identity($1, $2) end from rollcall.install i`,
    [projectRef, config.environment],
  );
}

/** Removes everything Rollcall put into the database. */
export async function uninstall(sql: Sql): Promise<void> {
  await sql.transaction((tx) => tx.script(UNINSTALL_SCRIPT));
}
