import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigErrors } from '../config/config-errors.ts';
import { parseConfig } from '../config/load.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { anyAnswer, answersOf, type InitOptions } from './init-answers.ts';
import { type InitAnswers, renderInitFile } from './init-file.ts';
import { repeatable } from './option-values.ts';

/** `rollcall init`: writes a config, from answers at the terminal or from flags. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Writes a commented rollcall.yaml. Asks on a terminal; flags answer instead.')
    .option('--database-url-env <name>', 'environment variable with the database URL (default: DATABASE_URL)')
    .option('--destination <type>', 'where contacts go (default: mailtrap)')
    .option('--account-id <id>', 'Mailtrap account id')
    .option('--list <id>', 'list a new contact joins, by id or name; may be given several times', repeatable)
    .option('--consent <basis>', 'who may be mailed: nobody | column:<path> | everyone:<basis>')
    .option('--development', 'send to the stand-ins that `rollcall sandbox` runs on this machine')
    .option('--output <file>', 'file to write (default: that of --config)')
    .option('--force', 'overwrite the file')
    .addHelpText(
      'after',
      examples(
        'rollcall init',
        'rollcall init --list 42 --consent column:user_metadata.marketing_opt_in',
        'rollcall init --development --consent nobody',
      ),
    );
  cli.action(command, runInit);
}

async function runInit(options: InitOptions, cli: Cli): Promise<number> {
  const answers = await answersFor(options, cli);
  if (answers === undefined) return 1;
  const file = options.output ?? cli.globals.config;
  const development = options.development === true;
  const text = renderInitFile(answers, development ? 'development' : 'production');
  proveThatItLoads(text, file, answers);
  await write(file, text, options.force === true);
  const needed = [answers.databaseUrlEnv, ...(development ? [] : ['MAILTRAP_TOKEN'])].filter(
    (name) => (cli.io.env[name] ?? '') === '',
  );
  const flag = file === 'rollcall.yaml' ? '' : ` --config ${file}`;
  cli.say(
    `Wrote ${file}.`,
    needed.length === 0 ? 'Next: run' : `Next: set ${needed.join(' and ')}, then run`,
    ...(development ? ['  rollcall sandbox     in another terminal'] : []),
    `  rollcall${flag} apply`,
    `  rollcall${flag} start`,
  );
  return 0;
}

async function answersFor(options: InitOptions, { io }: Cli): Promise<InitAnswers | undefined> {
  if (!io.interactive || anyAnswer(options)) return answersOf(options);
  const { askForAnswers } = await import('./init-wizard.ts');
  return askForAnswers();
}

/** A flag can hold what no config may: a column that must not leave, for example. */
function proveThatItLoads(text: string, file: string, answers: InitAnswers): void {
  const env = { [answers.databaseUrlEnv]: 'postgres://localhost/postgres', MAILTRAP_TOKEN: 'token' };
  try {
    parseConfig(text, { file, env, registry });
  } catch (error) {
    const [first] = error instanceof ConfigErrors ? error.errors : [];
    if (first === undefined) throw error;
    throw new RollcallError('RC_INIT_OPTION', `These answers make no valid config: ${first.message}.`, {
      hint: first.hint,
    });
  }
}

async function write(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new RollcallError('RC_INIT_EXISTS', `${file} exists already.`, {
        hint: 'Use --force to overwrite it, or --output to write another file.',
      });
    }
    throw new RollcallError('RC_INIT_WRITE', `${file} can't be written (${code}).`, {
      hint: 'Choose another place with --output.',
      cause,
    });
  }
}
