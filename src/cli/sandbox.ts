import type { Command } from 'commander';
import { registry } from '../destinations/registry.ts';
import { parseFault } from '../sandbox/parse-fault.ts';
import { startSandbox } from '../sandbox/start.ts';
import type { Cli } from './cli.ts';
import { idList, portNumber, positiveNumber, repeatable } from './option-values.ts';
import { examples } from './examples.ts';
import { readState, StateFile } from './sandbox-file.ts';
import { renderServed, servedView } from './sandbox-view.ts';
import { aborted } from '../engine/wake.ts';
import { stopSignal } from './stop-signal.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly only?: readonly string[] | undefined;
  readonly limitsScale: number;
  readonly fault?: readonly string[] | undefined;
  readonly token?: string | undefined;
  readonly state?: string | undefined;
  readonly json?: boolean | undefined;
}

/** In the config, what stands for a key that was given: it is not written out. */
const GIVEN_TOKEN = '${SANDBOX_TOKEN}';

/** `rollcall sandbox`: local stand-ins of all destinations until Ctrl-C. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Runs local stand-ins of the APIs of all destinations, with a page that shows what arrives.')
    .option('--port <n>', 'port; 0 takes a free one', portNumber, 4010)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--only <ids>', 'only these destinations, with commas between', idList)
    .option('--limits-scale <n>', "how many times the vendors' rate limits", positiveNumber, 1)
    .option('--fault <rule>', 'a fault on demand; may be given several times', repeatable)
    .option('--token <token>', 'the API key they accept (default: sandbox-token)')
    .option('--state <file>', 'begin with what this file holds, if it is there, and keep it up to date')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      examples(
        'rollcall sandbox',
        'rollcall sandbox --only mailtrap,brevo --state sandbox.json',
        "rollcall sandbox --fault 'status=500,rate=0.3,destination=mailtrap'",
      ),
    );
  cli.action(command, runSandbox);
}

async function runSandbox(options: Options, cli: Cli): Promise<number> {
  const stop = stopSignal(cli.io);
  const { port, host, only, token, limitsScale } = options;
  const faults = (options.fault ?? []).map(parseFault);
  const state = options.state === undefined ? undefined : await readState(options.state);
  const sandbox = await startSandbox({ port, host, only, token, limitsScale, faults, state });
  const file =
    options.state === undefined ? undefined : new StateFile(options.state, sandbox, ({ message }) => cli.note(message));
  const hidden = token === undefined ? undefined : GIVEN_TOKEN;
  const views = sandbox.destinations.map((served) =>
    servedView(
      served,
      registry.find(({ id }) => id === served.id),
      limitsScale,
      hidden,
    ),
  );
  if (options.json === true) {
    cli.say(JSON.stringify({ url: sandbox.url, page: sandbox.pageUrl, destinations: views }));
  } else {
    cli.say(
      cli.paint('bold', 'Rollcall sandbox'),
      `  page    ${sandbox.pageUrl}`,
      ...(options.fault ?? []).map((fault) => `  fault   ${fault}`),
      ...(options.state === undefined ? [] : [`  state   ${options.state}${state === undefined ? ' (new)' : ''}`]),
      '',
      ...renderServed(views, limitsScale, cli.paint),
      '',
      file === undefined ? 'Ctrl-C stops it; nothing is kept.' : 'Ctrl-C stops it; the state is kept.',
    );
  }
  await aborted(stop.signal);
  await sandbox.close();
  await file?.close();
  stop.done();
  return 0;
}
