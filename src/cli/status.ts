import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { sandboxNotes } from './development.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { readStatus } from './read-status.ts';
import { problemsOf } from './status-problems.ts';
import { renderStatus } from './status-view.ts';
import { withDatabase } from './with-database.ts';

/** `rollcall status`: what is in step and what is not; exit code 1 when something needs a person. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Shows what is in step, pending and failed. Exit code 1 when something needs a person.')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall status', 'rollcall status --json'));
  cli.action(command, async (options: { readonly json?: boolean }) => {
    const config = await loadConfig(cli);
    const { status, refusals } = await withDatabase(config, (sql) => readStatus(sql, config));
    const problems = problemsOf(status, refusals, config.sweep.everyMs);
    const healthy = problems.length === 0;
    if (options.json === true) {
      const sandboxes = Object.fromEntries(
        config.destinations.flatMap((d) => (d.sandbox ? [[d.name, d.sandbox]] : [])),
      );
      cli.json({ healthy, problems, ...(Object.keys(sandboxes).length === 0 ? {} : { sandboxes }), ...status });
    } else {
      const at = { now: Date.now(), width: widthOf(cli.io.stdout), paint: cli.paint };
      cli.say(renderStatus(status, problems, at), ...sandboxNotes(config));
    }
    return healthy ? 0 : 1;
  });
}
