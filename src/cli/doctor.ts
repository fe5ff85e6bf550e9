import type { Command } from 'commander';
import { pause } from '../engine/wake.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { examine } from './doctor/examine.ts';
import { renderFindings } from './doctor/view.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { createProgress } from './progress.ts';

/** `rollcall doctor`: what is wrong with a project, its install and its destinations, each with its fix. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Looks at everything a delivery depends on, in the database and at the destinations, and says how to mend what is wrong. Changes nothing. Exit code 1 when it finds an error.',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall doctor', 'rollcall doctor --json'));
  cli.action(command, runDoctor);
}

async function runDoctor(options: { readonly json?: boolean }, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const transport = createUndiciSend();
  const progress = createProgress(cli.io.stderr);
  const shown = cli.io.stderr.isTTY === true && options.json !== true;
  try {
    const found = await examine({
      config,
      send: transport.send,
      pause: (ms) => pause(ms),
      onStep: (area) => shown && progress.show(`Looking at ${area}`),
    });
    progress.done();
    const healthy = found.every(({ severity }) => severity !== 'error');
    if (options.json === true) cli.json({ healthy, findings: found });
    else cli.say(renderFindings(found, cli.paint, widthOf(cli.io.stdout)));
    return healthy ? 0 : 1;
  } finally {
    progress.done();
    await transport.close();
  }
}
