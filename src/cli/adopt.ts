import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { comparing } from '../core/exports.ts';
import { adopt } from '../engine/adopt.ts';
import type { AdoptReport } from '../engine/adopt-report.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import { type RecipeReport, renderRecipe, takeOverRecipe, undoRecipe } from './adopt-recipe.ts';
import { masked, renderAdopt } from './adopt-view.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { fullSweep } from './full-sweep.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { repeatable } from './option-values.ts';
import { type RemoteSession, withRemote } from './remote-session.ts';
import { reportError } from './report-error.ts';
import { stopSignal } from './stop-signal.ts';
import { createSweepProgress } from './sweep-progress.ts';
import { needsDatabase, withProject } from './with-project.ts';

interface Options {
  readonly destination?: readonly string[] | undefined;
  readonly showAddresses?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly recipe?: boolean | undefined;
  readonly trigger?: readonly string[] | undefined;
  readonly undo?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

const RECIPE_BY_HAND =
  'Switch its triggers and webhooks off in the dashboard (Database), then run `rollcall adopt` without --recipe.';
/** Changes that are folded at once. */
const FOLD = 1_000;

/** `rollcall adopt`: what a destination had before us. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Before the first `rollcall start`: reads the contacts that a destination has already, so that nobody there is subscribed again or made twice. Who left there counts as having left; who is there as they shall be is not sent. Sends nothing, and can be run again at any time.',
    )
    .option('--destination <name>', 'only this one; may be repeated', repeatable)
    .option('--show-addresses', 'show addresses in full')
    .option(
      '--recipe',
      'first switch off the triggers and webhooks of the recipe that did this before; see `rollcall doctor`',
    )
    .option('--trigger <schema.table.trigger>', 'with --recipe: also this one; may be repeated', repeatable)
    .option('--undo', 'with --recipe: switch them on again, and do nothing else')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'rollcall apply && rollcall adopt && rollcall start',
        'rollcall apply && rollcall adopt --recipe && rollcall start',
        'rollcall adopt --destination mailtrap',
      ),
    );
  cli.action(command, runAdopt);
}

async function runAdopt(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  if (options.recipe === true) needsDatabase(config, 'Recipes live in', RECIPE_BY_HAND);
  const stop = stopSignal(cli.io);
  const progress = createSweepProgress(cli.io.stderr);
  try {
    return await withProject(config, { what: 'everything' }, cli, async (sql) => {
      if (options.recipe === true && options.undo === true) return await undoRecipe(sql, cli, options.json === true);
      const recipe = options.recipe === true ? await takeOverRecipe(sql, config, options, cli) : undefined;
      if (options.recipe === true && recipe === undefined) return 1;
      return await withRemote({ cli, config, sql, names: options.destination }, async (sessions, _, problems) => {
        const wanted = readable(sessions, options.destination, cli);
        // Who is ours must be known before anybody can be found there.
        const swept = await fullSweep({ config, sql, progress }, stop.signal);
        progress.end();
        if (swept === undefined) return interrupted(cli);
        const reports: AdoptReport[] = [];
        for (const { access, done } of wanted) {
          try {
            reports.push(await adopt(access, stop.signal));
          } finally {
            done();
          }
        }
        await foldAll(config, sql, stop.signal);
        for (const problem of problems.values()) await reportError(problem, cli.io);
        report(reports, recipe, options, cli);
        return Math.min(problems.size, 1);
      });
    });
  } finally {
    progress.end();
    stop.done();
  }
}

/**
 * Those that can be read. One that can't is left out, unless somebody asked for it.
 * @throws RollcallError `RC_EXPORT_NONE`
 */
function readable(
  sessions: readonly RemoteSession[],
  names: readonly string[] | undefined,
  cli: Cli,
): readonly RemoteSession[] {
  const can = sessions.filter(({ access }) => comparing(access.destination) !== undefined);
  const others = sessions.filter((each) => !can.includes(each)).map(({ access }) => access.state.name);
  const [first] = others;
  if (first !== undefined && (names !== undefined || can.length === 0)) {
    throw new RollcallError('RC_EXPORT_NONE', `What ${first} has can't be read, so nothing of it can be adopted.`, {
      hint: 'It has no way to list its contacts. What it knows of opt-outs has to come by its webhook, or from your own tables.',
    });
  }
  for (const name of others) cli.note(`${name} can't be read and is left out.`);
  return can;
}

/** What was learnt holds at all destinations before a worker starts; one that is at work folds it by itself. */
async function foldAll(config: Config, sql: Sql, signal: AbortSignal): Promise<void> {
  const store = createStore(sql, identityOf(config));
  for (let more = true; more && !signal.aborted;) {
    const folded = await store.fold(FOLD);
    more = !folded.busy && (folded.more || folded.taken > 0);
  }
}

function interrupted(cli: Cli): number {
  cli.note('Stopped. Nothing was adopted yet; run it again.');
  return 1;
}

function report(found: readonly AdoptReport[], recipe: RecipeReport | undefined, options: Options, cli: Cli): void {
  const shown = found.map((each) => masked(each, options.showAddresses === true));
  const width = widthOf(cli.io.stdout);
  if (options.json === true) cli.json({ ...(recipe === undefined ? {} : { recipe }), destinations: shown });
  else cli.say(...(recipe === undefined ? [] : [...renderRecipe(recipe, width), '']), renderAdopt(shown, width));
}
