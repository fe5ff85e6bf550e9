import type { Command } from 'commander';
import { ConfigErrors } from '../config/config-errors.ts';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { renderCheck } from './check-text.ts';
import type { Cli } from './cli.ts';
import { checkDatabase, type DatabaseCheck } from './config-database.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { summaryOf } from './summary.ts';

interface Options {
  readonly json?: boolean | undefined;
  readonly offline?: boolean | undefined;
}

/** `rollcall config check`: the mistakes, of the file alone and then beside the database, the warnings, and what it all means. */
export function defineConfigCheck(command: Command, cli: Cli): void {
  command
    .summary('find mistakes in the config')
    .description(
      'Loads the config, holds it against the database if that can be reached, and says what it means. Changes nothing. Exit code 1 when it has mistakes.',
    )
    .option('--json', 'print one JSON document')
    .option('--offline', 'do not ask the database')
    .addHelpText('after', examples('rollcall config check', 'rollcall config check --config staging.yaml --json'));
  cli.action(command, async (options: Options) => {
    if (options.json === true) return checkAsJson(options, cli);
    const config = await loadConfig(cli);
    const database = await ask(config, options);
    cli.say(renderCheck(config, database, cli.paint, widthOf(cli.io.stdout)));
    return 0;
  });
}

function ask(config: Config, { offline }: Options): Promise<DatabaseCheck> {
  return offline === true ? Promise.resolve({ checked: false, reason: '--offline' }) : checkDatabase(config);
}

async function checkAsJson(options: Options, cli: Cli): Promise<number> {
  try {
    const config = await loadConfig(cli);
    const database = await ask(config, options);
    const { found, ...said } = { found: undefined, ...database };
    cli.json({ ok: true, ...summaryOf(config, found), database: said });
    return 0;
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    const all = error instanceof ConfigErrors ? error.errors : [error];
    cli.json({
      ok: false,
      errors: all.map(({ code, message, hint, place }) => ({
        code,
        message,
        hint: hint ?? null,
        place: place ?? null,
      })),
    });
    return 1;
  }
}
