import { Command, CommanderError } from 'commander';
import { Cli, type CommandModule, type GlobalOptions } from './cli.ts';
import { examples } from './examples.ts';
import { type Io, widthOf } from './io.ts';
import { wrap } from './layout.ts';
import { painter } from './paint.ts';
import { errorWidth, reportError } from './report-error.ts';
import { version } from './version.ts';

/** The commands in the order they are used. Only the one that is called is loaded, so that every start is fast. */
export const COMMANDS: readonly {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}[] = [
  { name: 'init', summary: 'write a rollcall.yaml', load: () => import('./init.ts') },
  { name: 'config', summary: 'check the config, or print its JSON Schema', load: () => import('./config.ts') },
  { name: 'preview', summary: 'show what the config makes of a row', load: () => import('./preview.ts') },
  { name: 'test', summary: 'ask project, database and destinations, live', load: () => import('./test.ts') },
  { name: 'connectors', summary: 'ask a connector alone', load: () => import('./connectors.ts') },
  { name: 'plan', summary: 'see what apply and the next sync would do', load: () => import('./plan.ts') },
  { name: 'apply', summary: 'install or update the database side', load: () => import('./apply.ts') },
  { name: 'adopt', summary: 'take over what a destination has already', load: () => import('./adopt.ts') },
  { name: 'start', summary: 'run a worker', load: () => import('./start.ts') },
  { name: 'deploy', summary: 'run inside the project, without a server', load: () => import('./deploy.ts') },
  { name: 'sync', summary: 'bring in everybody who is there already', load: () => import('./sync.ts') },
  { name: 'sweep', summary: 'find what triggers have missed', load: () => import('./sweep.ts') },
  { name: 'status', summary: 'show what is in step and what is not', load: () => import('./status.ts') },
  { name: 'why', summary: 'tell the whole story of one person', load: () => import('./why.ts') },
  { name: 'doctor', summary: 'find what is wrong, and how to mend it', load: () => import('./doctor.ts') },
  {
    name: 'failures',
    summary: 'show what failed and why; try it again, or drop it',
    load: () => import('./failures.ts'),
  },
  { name: 'tail', summary: 'watch deliveries as they happen', load: () => import('./tail.ts') },
  { name: 'logs', summary: 'show past deliveries and notices', load: () => import('./logs.ts') },
  { name: 'segments', summary: 'show who is on which list, and who would be', load: () => import('./segments.ts') },
  { name: 'resume', summary: 'try a paused destination now', load: () => import('./resume.ts') },
  { name: 'release', summary: 'let out what a brake holds', load: () => import('./release.ts') },
  { name: 'alerts', summary: 'see whether alerts arrive', load: () => import('./alerts.ts') },
  { name: 'audit', summary: 'compare with what destinations really have', load: () => import('./audit.ts') },
  { name: 'export', summary: 'show all that is held about one person', load: () => import('./export.ts') },
  { name: 'erase', summary: 'erase a person everywhere, for good', load: () => import('./erase.ts') },
  { name: 'recover', summary: 'take a restored database into use', load: () => import('./recover.ts') },
  { name: 'rebind', summary: 'let this copy of a database send', load: () => import('./rebind.ts') },
  { name: 'uninstall', summary: 'remove everything from the database', load: () => import('./uninstall.ts') },
  { name: 'sandbox', summary: 'run local stand-ins of the destinations', load: () => import('./sandbox.ts') },
  { name: 'completion', summary: 'complete commands in your shell', load: () => import('./completion.ts') },
  { name: 'demo', summary: 'see it all work on this machine', load: () => import('./demo.ts') },
  { name: 'help', summary: 'show help for a command, a topic or an error', load: () => import('./help.ts') },
];

/** A command line that can't be understood. */
const USAGE = { code: 'RC_USAGE', exit: 2 } as const;

/**
 * Runs one command line (without `node` and the script). Never throws.
 * @returns the exit code: 0 done, 1 failed or unhealthy, 2 not understood
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await run(argv, io);
  } catch (error) {
    return reportError(error, io);
  }
}

async function run(argv: readonly string[], io: Io): Promise<number> {
  const paint = painter(io.stderr, io.env);
  const program = new Command('rollcall')
    .description('Keeps an email platform in step with a Supabase project.')
    .option('-c, --config <file>', 'the config file', 'rollcall.yaml')
    .option('--env-file <file>', 'read environment variables from a file; those already set win')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showHelpAfterError('  See `rollcall --help`.')
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => widthOf(io.stdout),
      getErrHelpWidth: () => widthOf(io.stderr),
      outputError: (text, write) => {
        const [message = '', ...more] = text.trimEnd().split('\n');
        const head = wrap(`error ${USAGE.code}: ${message.replace(/^error: /, '')}`, errorWidth(io));
        const lines = [head.replace('error', paint('red', 'error'))];
        write(`${[...lines, ...more.map((line) => `  ${line.replace(/^\((.*)\)$/, '$1')}`)].join('\n')}\n`);
      },
    });
  program.addHelpText('after', examples('rollcall init', 'rollcall apply && rollcall start', 'rollcall demo'));
  const cli = new Cli(io, () => program.opts<GlobalOptions & Record<string, unknown>>());
  for (const { name, summary, load } of COMMANDS) {
    const command = program.command(name).summary(summary).description(summary);
    // A command whose name is not among the words can't be the one that is called.
    if (argv.includes(name)) {
      (await load()).define(command, cli);
      pointToHelp(command, `rollcall ${name}`);
    }
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE.exit;
    throw error;
  }
}

/** A mistake in a command line leads to the help of that very command. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`  See \`${path} --help\`.`);
  for (const inner of command.commands) pointToHelp(inner, `${path} ${inner.name()}`);
}
