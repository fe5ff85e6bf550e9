import type { Command } from 'commander';
import { redact } from '../core/redact.ts';
import { runWorker } from '../homes/worker.ts';
import type { Cli } from './cli.ts';
import { sandboxNotes, sandboxProblem } from './development.ts';
import { examples } from './examples.ts';
import { loadConfig } from './load-config.ts';
import { createLogger } from './logger.ts';
import { portNumber } from './option-values.ts';
import { asRollcallError } from './report-error.ts';
import { stopSignal } from './stop-signal.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  /** False with --no-health. */
  readonly health: boolean;
}

/** `rollcall start`: one worker, until it is told to stop. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Runs a worker: as many as wanted may share one database. Logs JSON lines on standard output.')
    .option('--port <n>', 'port of /healthz, /readyz and /metrics; 0 takes a free one', portNumber, 8787)
    .option('--host <address>', 'address they listen on', '127.0.0.1')
    .option('--no-health', 'do not listen at all')
    .addHelpText('after', examples('rollcall start', 'rollcall start --host 0.0.0.0 --port 8080'));
  cli.action(command, runStart);
}

async function runStart(options: Options, cli: Cli): Promise<number> {
  const stop = stopSignal(cli.io);
  const config = await loadConfig(cli);
  const log = createLogger(cli.io.stdout, config.log.level);
  for (const { code, message, line } of config.warnings) log.warn({ code, line }, message);
  for (const note of sandboxNotes(config)) log.info({}, note);
  const down = await sandboxProblem(config);
  if (down !== undefined) log.warn({ code: down.code, hint: down.hint }, down.message);
  const health = options.health ? { port: options.port, host: options.host } : undefined;
  try {
    await runWorker({ config, log, health }, stop.signal);
    return 0;
  } catch (error) {
    const known = asRollcallError(error);
    log.error(
      { code: known?.code ?? 'RC_INTERNAL', hint: known?.hint },
      known === undefined ? 'the worker failed' : redact(known.message),
    );
    throw known ?? error;
  } finally {
    stop.done();
  }
}
