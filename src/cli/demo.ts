import type { Command } from 'commander';
import { parseFault } from '../sandbox/parse-fault.ts';
import type { Cli } from './cli.ts';
import { portNumber, positiveNumber, repeatable, wholeNumber } from './option-values.ts';
import { examples } from './examples.ts';

interface Options {
  readonly users?: number | undefined;
  readonly exit?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly fault?: readonly string[] | undefined;
  readonly limitsScale: number;
  readonly port?: number | undefined;
}

/** `rollcall demo`: a Supabase stand-in, a worker and the sandbox, all on this machine. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows people signing up, editing and leaving, and the contacts following, on this machine alone.')
    .option('--users <n>', 'how many people sign up', wholeNumber)
    .option('--exit', 'end once everybody is in step')
    .option('--json', 'end with one line of JSON')
    .option('--fault <rule>', 'a fault of the destination; may be given several times', repeatable)
    .option('--limits-scale <n>', "how many times the vendor's rate limits", positiveNumber, 100)
    .option('--port <n>', "port of the sandbox's page (default: a free one)", portNumber)
    .addHelpText(
      'after',
      examples('rollcall demo', "rollcall demo --users 1000 --exit --json --fault 'status=500,rate=0.3'"),
    );
  cli.action(command, async (options: Options) => {
    const faults = options.fault ?? [];
    faults.forEach(parseFault);
    const { runDemo } = await import('../demo/run.ts');
    const done = await runDemo({
      users: options.users,
      exit: options.exit === true,
      json: options.json === true,
      faults,
      limitsScale: options.limitsScale,
      port: options.port,
    });
    return done ? 0 : 1;
  });
}
