import type { Command } from 'commander';
import { endPauses } from '../sql/store/failures.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { destinationsOf } from './failures-show.ts';
import { widthOf } from './io.ts';
import { wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

/** `rollcall resume`: a paused destination is tried now. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Ends the pause of a destination: a running worker tries it at once, with one request alone, and goes on if that is taken. Without a name: of all that are paused.',
    )
    .argument('[destination]', 'its name in the config')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall resume', 'rollcall resume mailtrap'));
  cli.action(command, (options: { readonly json?: boolean | undefined }) =>
    runResume({ ...options, destination: command.processedArgs[0] as string | undefined }, cli),
  );
}

async function runResume(
  { destination, json }: { readonly destination: string | undefined; readonly json?: boolean | undefined },
  cli: Cli,
): Promise<number> {
  const config = await loadConfig(cli);
  const resumed = await withDatabase(config, async (sql) => {
    await destinationsOf(sql, destination);
    return await endPauses(sql, destination);
  });
  if (json === true) cli.json({ resumed });
  else if (resumed.length === 0)
    cli.say(`${destination ?? 'No destination'} is ${destination === undefined ? '' : 'not '}paused.`);
  else {
    const width = widthOf(cli.io.stdout);
    for (const { destination: name, code } of resumed) {
      const key =
        code === 'unauthorized' || code === 'forbidden' ? ' A worker that has an old key needs a restart.' : '';
      cli.say(wrap(`${name} was paused (${code}). A running worker tries it now.${key}`, width));
    }
  }
  return 0;
}
