import { type Command, Option } from 'commander';
import { timeOrAge, wordsOf } from './option-values.ts';

/** What may have become of a delivery: the outcomes of attempts, and of events that ended without one. */
const OUTCOMES = ['delivered', 'retry', 'throttle', 'reject', 'config', 'unknown', 'dropped', 'dead'] as const;

/** What `tail` and `logs` have in common. */
export interface DeliveryOptions {
  readonly destination?: string | undefined;
  readonly outcome?: readonly string[] | undefined;
  /** ISO 8601 */
  readonly since?: string | undefined;
  readonly reveal?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export function deliveryOptions(command: Command, since: string): Command {
  return command
    .option('--destination <name>', 'to this destination alone')
    .addOption(
      new Option('--outcome <kinds>', 'with these outcomes alone, commas between')
        .choices(OUTCOMES)
        .argParser(wordsOf(OUTCOMES)),
    )
    .option('--since <time>', since, timeOrAge)
    .option('--reveal', 'show personal data: addresses, and words as they came')
    .option('--json', 'print one JSON line each');
}
