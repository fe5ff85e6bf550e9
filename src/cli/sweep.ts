import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { fullSweep } from './full-sweep.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { stopSignal } from './stop-signal.ts';
import { createSweepProgress } from './sweep-progress.ts';
import { renderSweep } from './sweep-view.ts';
import { withProject } from './with-project.ts';

/** `rollcall sweep`: compares everybody now. It sends nothing: what it finds goes into the queue of the workers. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Reads every row now and queues whoever is not as the rows say: what triggers have missed. Says what it found, and why. The workers send it.',
    )
    .option('--json', 'print the report as one JSON document')
    .addHelpText('after', examples('rollcall sweep', 'rollcall sweep --json'));
  cli.action(command, runSweep);
}

async function runSweep({ json = false }: { readonly json?: boolean }, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const stop = stopSignal(cli.io);
  const progress = createSweepProgress(cli.io.stderr);
  try {
    const report = await withProject(config, { what: 'everything' }, cli, (sql) =>
      fullSweep({ config, sql, progress }, stop.signal),
    );
    progress.end();
    if (report === undefined) {
      cli.note('Stopped. What was found is queued; nobody was deleted for being absent. A worker sweeps again.');
      return 1;
    }
    if (json) cli.json(report);
    else cli.say(renderSweep(report, { width: widthOf(cli.io.stdout), paint: cli.paint }));
    return 0;
  } finally {
    progress.end();
    stop.done();
  }
}
