import type { Command } from 'commander';
import { parseFault } from '../sandbox/parse-fault.ts';
import { startSandbox } from '../sandbox/start.ts';
import type { Cli } from './cli.ts';
import { portNumber, positiveNumber, repeatable } from './option-values.ts';
import { examples } from './examples.ts';
import { aborted, stopSignal } from './stop-signal.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly limitsScale: number;
  readonly fault?: readonly string[] | undefined;
  readonly token?: string | undefined;
}

/** `rollcall sandbox`: a local stand-in of Mailtrap until Ctrl-C. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Runs a local stand-in of the Mailtrap Contacts API, with a page that shows what arrives.')
    .option('--port <n>', 'port; 0 takes a free one', portNumber, 4010)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--limits-scale <n>', "how many times the vendor's rate limits", positiveNumber, 1)
    .option('--fault <rule>', 'a fault on demand; may be given several times', repeatable)
    .option('--token <token>', 'the API token it accepts (default: sandbox-token)')
    .addHelpText(
      'after',
      examples('rollcall sandbox', "rollcall sandbox --limits-scale 100 --fault 'status=500,rate=0.3'"),
    );
  cli.action(command, runSandbox);
}

async function runSandbox(options: Options, cli: Cli): Promise<number> {
  const stop = stopSignal(cli.io);
  const { port, host, token, limitsScale } = options;
  const faults = (options.fault ?? []).map(parseFault);
  const sandbox = await startSandbox({ port, host, token, limitsScale, faults });
  const mailtrap = sandbox.of('mailtrap');
  const { paint } = cli;
  const scaled = (requests: number): string => Math.floor(requests * limitsScale).toLocaleString('en-US');
  cli.say(
    paint('bold', 'Mailtrap sandbox'),
    `  API     ${mailtrap.url}`,
    `  token   ${token === undefined ? mailtrap.token : 'as given with --token'}`,
    `  page    ${sandbox.pageUrl}`,
    `  limits  ${scaled(200)} requests / 60 s for contacts, ${scaled(150)} / 10 s in all${limitsScale === 1 ? '' : ` (${limitsScale} times the real ones)`}`,
    ...(options.fault ?? []).map((fault) => `  fault   ${fault}`),
    '',
    'In rollcall.yaml:',
    '',
    '  destinations:',
    '    mailtrap:',
    '      api_token: ${MAILTRAP_TOKEN}',
    `      base_url: ${mailtrap.url}`,
    ...(limitsScale > 1 ? [`      limits_scale: ${limitsScale}`] : []),
    '',
    'Ctrl-C stops it; nothing is kept.',
  );
  await aborted(stop.signal);
  await sandbox.close();
  stop.done();
  return 0;
}
