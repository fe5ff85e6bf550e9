import type { Command } from 'commander';
import { secretNames } from '../config/fill-vault.ts';
import type { Config } from '../config/types.ts';
import { registry } from '../destinations/registry.ts';
import { withListIds } from '../engine/list-ids.ts';
import { configured } from '../homes/configured.ts';
import { resolveConfig } from '../homes/resolve-options.ts';
import { type Deployed, sqlHomeScript } from '../homes/sql.ts';
import type { Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { planDatabase } from './apply-plan.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { checkHome } from './home-destinations.ts';
import { widthOf } from './io.ts';
import { wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { writeMigration } from './migration-file.ts';
import { withDatabase } from './with-database.ts';
import { needsDatabase, RUN_A_WORKER } from './with-project.ts';

interface Options {
  readonly print?: boolean | undefined;
  readonly folder: string;
}

/** `rollcall deploy sql`: the migration with which the database delivers by itself. */
export function defineDeploySql(command: Command, cli: Cli): void {
  command
    .summary('as SQL alone')
    .description(
      'Writes a migration with the install of `rollcall apply` and a pump that pg_cron runs and that sends through pg_net. Reads the database and the lists of destinations, and changes nothing.',
    )
    .option('--print', 'print it instead, and write nothing')
    .option('--folder <path>', "the project's `supabase` folder", 'supabase')
    .addHelpText('after', examples('rollcall deploy sql', 'rollcall deploy sql --print', 'supabase db push'));
  cli.action(command, runDeploySql);
}

async function runDeploySql({ print, folder }: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  needsDatabase(config, 'That home runs in', RUN_A_WORKER);
  checkHome(config, 'sql');
  const migration = await withDatabase(config, (sql) => migrationOf(sql, config));
  if (print === true) {
    cli.say(migration.trimEnd());
    return 0;
  }
  const { path, written } = await writeMigration(folder, 'rollcall_sql', migration, new Date());
  cli.say(
    written ? `${cli.paint('green', 'Wrote')} ${path}` : 'All of it is as it shall be already: nothing was written.',
  );
  cli.say('', ...nextSteps(config, widthOf(cli.io.stdout)));
  return 0;
}

async function migrationOf(sql: Sql, config: Config): Promise<string> {
  const resolved = await resolveConfig(config, sql, registry);
  const transport = createUndiciSend();
  try {
    const deployed: Deployed[] = [];
    for (const entry of resolved.config.destinations) {
      const found = configured(resolved.config, entry.name, registry);
      if (found === undefined) continue;
      const problem = resolved.problems.get(entry.name);
      const named = found.destination.lists?.names(entry.options) ?? [];
      // Placeholders do for all but the question which id a list has.
      if (problem !== undefined && named.length > 0) throw problem;
      deployed.push({ ...found, options: await withListIds(found.destination, entry.options, transport.send) });
    }
    const { script } = await planDatabase(sql, resolved.config);
    return `${script}\n${sqlHomeScript(resolved.config, deployed)}\n`;
  } finally {
    await transport.close();
  }
}

/** What is left for a person to do, in order. */
function nextSteps(config: Config, width: number): readonly string[] {
  const names = [...new Set(config.destinations.flatMap(secretNames))];
  return [
    'Next:',
    ...['supabase db push', 'rollcall rebind'].map((line) => `  ${line}`),
    ...names.map((name) => `  select vault.create_secret('<the value>', '${name.replaceAll("'", "''")}');`),
    '',
    wrap(
      "What begins with `select` is for the SQL editor. Nothing is sent before `rollcall rebind`, or `select rollcall.bind('<project ref>', '<environment>');`. `select * from rollcall.test();` tells what is missing: docs/sql.md.",
      width,
    ),
  ];
}
