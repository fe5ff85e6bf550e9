import { type Command, InvalidArgumentError } from 'commander';
import { notInstalled } from '../engine/fatal.ts';
import { RollcallError } from '../core/errors.ts';
import { sqlState, type Sql } from '../sql/port.ts';
import { readBrakes, type BrakeState, releaseHeld } from '../sql/store/brakes.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { loadConfig } from './load-config.ts';
import { wholeNumber } from './option-values.ts';
import { renderBrakes } from './release-view.ts';
import { countOfKind } from './status-brakes.ts';
import type { BrakeKind } from './status-document.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  /** True: without a number. */
  readonly deletes?: number | true | undefined;
  readonly changes?: number | true | undefined;
  readonly destination?: string | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const KINDS: readonly BrakeKind[] = ['deletes', 'changes'];

/** `rollcall release`: lets out what a brake holds. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Lets out deletions or changes that a brake holds, the oldest first. What is left of the number passes within the next hour. Without options: shows the brakes.',
    )
    .option('--deletes [n]', 'let out so many deletions (default: all that are held, after a question)', number)
    .option('--changes [n]', 'let out so many changes (default: all that are held, after a question)', number)
    .option('--destination <name>', 'at this destination; needed where several are meant')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall release',
        'rollcall release --deletes 120',
        'rollcall release --changes --destination mailtrap',
      ),
    );
  cli.action(command, runRelease);
}

/** What reads as another option's value is a mistake that commander does not see. */
function number(text: string): number {
  if (text.startsWith('-')) throw new InvalidArgumentError('It must be a whole number above zero.');
  return wholeNumber(text);
}

async function runRelease(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return withDatabase(config, async (sql) => {
    const brakes = await readAll(sql, options.destination);
    const kinds = KINDS.filter((kind) => options[kind] !== undefined);
    if (kinds.length === 0) {
      if (options.json === true) cli.json({ brakes });
      else cli.say(renderBrakes(brakes));
      return 0;
    }
    // All are looked up before the first is let out.
    const chosen = kinds.map((kind) => ({ brake: choose(brakes, kind, options[kind]), wanted: options[kind] }));
    const released = [];
    for (const { brake, wanted } of chosen) {
      const n = typeof wanted === 'number' ? wanted : brake.held;
      const question = `Let out ${countOfKind(n, brake.kind)} at ${brake.destination}?`;
      if (typeof wanted !== 'number' && !(await ask(cli, question, options.yes))) return 1;
      const done = await releaseHeld(sql, brake, n);
      released.push({ destination: brake.destination, kind: brake.kind, ...done });
      if (options.json !== true) cli.say(summary(brake, done));
    }
    if (options.json === true) cli.json({ released });
    return 0;
  });
}

async function readAll(sql: Sql, destination: string | undefined): Promise<readonly BrakeState[]> {
  const brakes = await readBrakes(sql).catch((error: unknown) => {
    // No such function or schema: of an install from before the brakes too.
    throw sqlState(error) === '42883' || sqlState(error) === '3F000' ? notInstalled() : error;
  });
  if (destination === undefined || brakes.some((b) => b.destination === destination))
    return brakes.filter((b) => destination === undefined || b.destination === destination);
  throw new RollcallError('RC_DESTINATION_UNKNOWN', `No destination ${JSON.stringify(destination)} is installed.`, {
    hint: `There is ${[...new Set(brakes.map((b) => b.destination))].join(', ') || 'none'}.`,
  });
}

/**
 * The one brake that is meant.
 * @throws RollcallError `RC_NOTHING_HELD` when all that is held is asked for, and nothing is; `RC_BRAKE_OFF`;
 *   `RC_RELEASE_DESTINATION` when it may be one of several
 */
function choose(brakes: readonly BrakeState[], kind: BrakeKind, wanted: number | true | undefined): BrakeState {
  const ofKind = brakes.filter((b) => b.kind === kind);
  const holding = ofKind.filter((b) => b.held > 0);
  const [found, ...others] = holding.length > 0 ? holding : ofKind;
  if (found === undefined || (holding.length === 0 && wanted === true)) {
    throw new RollcallError('RC_NOTHING_HELD', `No ${kind === 'deletes' ? 'deletion' : 'change'} is held.`, {
      hint: `With a number, so many pass within the next hour: \`rollcall release --${kind} 100\`.`,
    });
  }
  if (others.length > 0) {
    const names = [found, ...others].map((b) => b.destination).join(', ');
    throw new RollcallError('RC_RELEASE_DESTINATION', `Several destinations are meant: ${names}.`, {
      hint: 'Name one with --destination.',
    });
  }
  if (found.share === null) {
    throw new RollcallError('RC_BRAKE_OFF', `The brake on ${kind} is off: nothing is held, and nothing will be.`, {
      hint: 'See `brakes` in the config.',
    });
  }
  return found;
}

function summary({ destination, kind }: BrakeState, done: Awaited<ReturnType<typeof releaseHeld>>): string {
  const lines = [
    `${destination}: ${countOfKind(done.released, kind)} released, ${done.held.toLocaleString('en-US')} still held.`,
  ];
  if (done.allowance > 0) lines.push(`${done.allowance.toLocaleString('en-US')} more may pass within the next hour.`);
  return lines.join(' ');
}
