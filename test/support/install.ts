import type { Config } from '../../src/config/types.ts';
import { applyInstall, bindOrCheck } from '../../src/sql/apply.ts';
import { inspectSources } from '../../src/sql/inspect/sources.ts';
import { ownScript } from '../../src/sql/install-script.ts';
import type { TestDatabase } from './database.ts';

/** As `rollcall apply` does it; of a database that was begun, the part that is there is not run again. */
export async function install({ sql, begun }: TestDatabase, config: Config, ref: string): Promise<void> {
  if (!begun) return await applyInstall(sql, config, ref);
  await sql.transaction(async (tx) => {
    await tx.script(`set local search_path = '';\n${ownScript(config, await inspectSources(tx, config))}`);
    await bindOrCheck(tx, config, ref);
  });
}
