import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { personUnknown } from '../sql/store/erase.ts';
import { readPerson } from '../sql/store/person.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

/** Of a project that is read by its API. */
const COPY =
  'Not in it: what was read of their rows by the API, which is as it stands in the project. `rollcall why` shows the rows of contacts.';

/** `rollcall export`: everything that is held about one person. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Everything Rollcall holds about one person, as JSON: what destinations are told, what was tried and answered, events, and what they said of being mailed. Nothing is changed.',
    )
    .argument('<person>', 'the id of a user, or an address')
    .option('-o, --output <file>', 'write it to a file that only you can read')
    .addHelpText(
      'after',
      examples('rollcall export ann@example.com', 'rollcall export 00000000-0000-4000-8000-000000000001 -o ann.json'),
    );
  cli.action(command, (options: { readonly output?: string | undefined }) =>
    runExport({ ...options, person: command.processedArgs[0] as string }, cli),
  );
}

async function runExport(
  { person, output }: { readonly person: string; readonly output?: string | undefined },
  cli: Cli,
): Promise<number> {
  const config = await loadConfig(cli);
  const held = await withDatabase(config, (sql) => readPerson(sql, person));
  if (held === undefined) throw personUnknown();
  if (config.api !== undefined) cli.note(COPY);
  const text = `${held}\n`;
  if (output === undefined) cli.io.stdout.write(text);
  else {
    try {
      await writeFile(output, text, { mode: 0o600, flag: 'wx' });
    } catch (error) {
      throw new RollcallError('RC_EXPORT_FILE', `${output} could not be written: ${(error as Error).message}.`, {
        hint: 'Name a file that is not there yet.',
        cause: error,
      });
    }
    cli.say(`Written to ${output}.`);
  }
  return 0;
}
