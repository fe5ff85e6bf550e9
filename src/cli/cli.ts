import type { Command } from 'commander';
import type { Io } from './io.ts';
import { type Paint, painter } from './paint.ts';
import { visible } from './visible.ts';

/** Options that every command understands. */
export interface GlobalOptions {
  /** Path of the config file. */
  readonly config: string;
  readonly envFile?: string | undefined;
}

/** What a command is given, and where it leaves its exit code. */
export class Cli {
  readonly io: Io;
  readonly paint: Paint;
  readonly #globals: () => GlobalOptions;
  exitCode = 0;

  constructor(io: Io, globals: () => GlobalOptions) {
    this.io = io;
    this.paint = painter(io.stdout, io.env);
    this.#globals = globals;
  }

  get globals(): GlobalOptions {
    return this.#globals();
  }

  /** Writes lines to standard output. */
  say(...lines: readonly string[]): void {
    this.io.stdout.write(visible(`${lines.join('\n')}\n`, this.io.stdout));
  }

  /** Writes lines to standard error: what is no result. */
  note(...lines: readonly string[]): void {
    this.io.stderr.write(visible(`${lines.join('\n')}\n`, this.io.stderr));
  }

  /** Writes one JSON document. */
  json(value: unknown): void {
    this.say(JSON.stringify(value, null, 2));
  }

  /** Makes `run` the action of a command; what it returns is the exit code. `run` says which options it expects. */
  action(command: Command, run: (options: never, cli: Cli) => Promise<number>): void {
    command.action(async () => {
      this.exitCode = await run(command.opts<never>(), this);
    });
  }
}

/** One file per command exports this. */
export interface CommandModule {
  define(command: Command, cli: Cli): void;
}
