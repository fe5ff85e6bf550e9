import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { type Cause, readCause, readContact } from './failure-cause.ts';
import { runDrop, runRetry } from './failures-act.ts';
import { runList, runShow } from './failures-show.ts';
import { wholeNumber } from './option-values.ts';

/** `rollcall failures`: what failed, grouped by cause, and what shall become of it. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows what failed, grouped by cause, with what to do; tries it again, or drops it.')
    .addHelpText(
      'after',
      examples(
        'rollcall failures',
        'rollcall failures show invalid_email',
        'rollcall failures retry --cause gave_up',
        'rollcall failures drop --cause unknown_not_repeated --destination mailtrap',
      ),
    );
  defineList(command.command('list', { isDefault: true }), cli);
  defineShow(command.command('show'), cli);
  defineRetry(command.command('retry'), cli);
  defineDrop(command.command('drop'), cli);
}

function defineList(command: Command, cli: Cli): void {
  command
    .summary('show the causes, with what to do about each')
    .description(
      'Shows what failed, grouped by cause: how many, since when, the words of the destination, and what to do.',
    )
    .option('--destination <name>', 'at this destination alone')
    .option('--reveal', 'show personal data: addresses, and words as they came')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall failures list', 'rollcall failures list --destination mailtrap --json'));
  cli.action(command, runList);
}

function defineShow(command: Command, cli: Cli): void {
  command
    .summary('show who failed for one cause')
    .description('Shows the contacts or events that failed for one cause, the newest first.')
    .argument('<cause>', 'the code, or code:field', readCause)
    .option('--destination <name>', 'at this destination; needed where the cause is at several')
    .option('--limit <n>', 'so many at most', wholeNumber, 20)
    .option('--reveal', 'show personal data: addresses, and words as they came')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall failures show invalid_email',
        'rollcall failures show invalid_field:PLAN --limit 100 --reveal',
      ),
    );
  cli.action(command, (options: Omit<Parameters<typeof runShow>[0], 'cause'>) =>
    runShow({ ...options, cause: command.processedArgs[0] as Cause }, cli),
  );
}

function defineRetry(command: Command, cli: Cli): void {
  scoped(
    command
      .summary('try failures again')
      .description(
        'Makes failures due again: contacts are sent as they are now, rows that could not be mapped are read again, and events are sent after those that wait. Without options: all of them.',
      ),
  ).addHelpText(
    'after',
    examples(
      'rollcall failures retry',
      'rollcall failures retry --cause gave_up --destination mailtrap',
      'rollcall failures retry --contact 17',
    ),
  );
  cli.action(command, runRetry);
}

function defineDrop(command: Command, cli: Cli): void {
  scoped(
    command
      .summary('hear no more of failures')
      .description(
        'Drops failures: contacts are given up until they change, events for ever. What the destination has stays as it is.',
      ),
  )
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      examples('rollcall failures drop --cause RC_EVENT_COLUMN', 'rollcall failures drop --contact 17 --yes'),
    );
  cli.action(command, runDrop);
}

function scoped(command: Command): Command {
  return command
    .option('--cause <code>', 'failures of this code, or code:field, alone', readCause)
    .option('--destination <name>', 'at this destination alone')
    .option('--contact <id>', 'of this contact alone, as `rollcall failures show` names it', readContact)
    .option('--json', 'print one JSON document');
}
