import type { Command } from 'commander';
import { type Json, renderJson } from '../core/json.ts';
import { preview } from '../sql/preview.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { wholeNumber } from './option-values.ts';
import { renderPreview } from './preview-view.ts';
import { withProject } from './with-project.ts';

interface Options {
  readonly row?: string | undefined;
  readonly limit: number;
  readonly json?: boolean | undefined;
}

/** `rollcall preview`: what the config makes of rows of a table. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'What the config makes of rows of a table: whose they are, whether a condition leaves them out, what each destination gets, and which events they are. Needs no install, and changes nothing. Shows personal data. Exit code 1 when a value can’t be mapped.',
    )
    .argument('<table>', 'a table that the config reads; `users` for auth.users')
    .option('--row <id>', 'the row with this primary key; of several columns a JSON array')
    .option('--limit <n>', 'without --row: so many of the first rows', wholeNumber, 1)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall preview users --limit 3',
        'rollcall preview customers --row 17',
        'rollcall preview shop.orders --json',
      ),
    );
  cli.action(command, (options: Options) => runPreview({ ...options, table: command.processedArgs[0] as string }, cli));
}

async function runPreview(
  { table, row, limit, json }: Options & { readonly table: string },
  cli: Cli,
): Promise<number> {
  const config = await loadConfig(cli);
  const found = await withProject(config, { what: 'rows' }, cli, (sql) => preview(sql, config, { table, row, limit }));
  if (json === true) cli.say(renderJson(found as unknown as Json, 2));
  else cli.say(renderPreview(found, widthOf(cli.io.stdout), cli.paint));
  return found.rows.some(({ destinations }) => destinations.some(({ verdict }) => verdict === 'failed')) ? 1 : 0;
}
