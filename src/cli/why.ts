import type { Command } from 'commander';
import { formatPlace, RollcallError } from '../core/errors.ts';
import { type Json, renderJson } from '../core/json.ts';
import { personUnknown } from '../sql/store/erase.ts';
import { readPersonRows, readStory, type StoryRows } from '../sql/store/why.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { tell } from './why-story.ts';
import { renderWhy } from './why-view.ts';
import { agoNote, readAgo } from './with-project.ts';
import { withDatabase } from './with-database.ts';

/** `rollcall why`: one person's whole story. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'One person’s whole story: their rows and whether conditions leave them out, what they shall be at each destination and how that differs from what was delivered, the last attempts with the words of the destination, what they said of being mailed, the next try, and what to do. Shows personal data. Nothing is changed or sent.',
    )
    .argument('<person>', 'the id of a user, or an address')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples('rollcall why ann@example.com', 'rollcall why 00000000-0000-4000-8000-000000000001 --json'),
    );
  cli.action(command, (options: { readonly json?: boolean }) =>
    runWhy({ ...options, person: command.processedArgs[0] as string }, cli),
  );
}

async function runWhy(
  { person, json }: { readonly person: string; readonly json?: boolean | undefined },
  cli: Cli,
): Promise<number> {
  const config = await loadConfig(cli);
  const { told, ago } = await withDatabase(config, async (sql) => {
    const story = await readStory(sql, person);
    const rows = await readPersonRows(sql, config, person, story.contacts).catch(unread);
    return { told: tell(story, rows), ago: await readAgo(sql, config) };
  });
  if (!told.known && told.rows.length === 0) {
    // They may have signed up since then.
    if (ago !== undefined) cli.note(agoNote(ago));
    throw personUnknown();
  }
  if (json === true) cli.say(renderJson(told as unknown as Json, 2));
  else cli.say(renderWhy(told, { width: widthOf(cli.io.stdout), paint: cli.paint, now: Date.now(), readAgo: ago }));
  return 0;
}

/** A config that does not fit the tables is told with the rest of the story. */
function unread(error: unknown): readonly StoryRows[] {
  if (!(error instanceof RollcallError)) throw error;
  const { code, message, place } = error;
  return [{ source: formatPlace(place), where: undefined, rows: [], more: false, problem: `${code}: ${message}` }];
}
