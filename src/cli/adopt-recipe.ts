import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { pause } from '../engine/wake.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { awaitRequests } from '../sql/take-over/await-requests.ts';
import { giveBack, readTakenOver, type Taken, takeOver } from '../sql/take-over/take-over.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { fullName, recipeTriggers } from './doctor/recipes.ts';
import { readForeignTriggers } from './doctor/trigger-facts.ts';
import { widthOf } from './io.ts';
import { count, wrap } from './layout.ts';
import { createProgress } from './progress.ts';
import { whereOf } from './where.ts';

/** What became of the recipe. */
export interface RecipeReport {
  /** Switched off now, as `schema.table.trigger`. */
  readonly switched: readonly string[];
  /** Those that were off already. */
  readonly before: readonly string[];
  /** Its requests that were still to go out, and have. */
  readonly awaited: number;
}

/** What was asked for. */
export interface RecipeOptions {
  readonly yes?: boolean | undefined;
  /** Triggers that belong to a recipe although nothing in them says so. */
  readonly trigger?: readonly string[] | undefined;
}

/**
 * Switches a recipe off, and waits until what it had begun to send has gone out: then the destination has all that it will ever get
 * from the recipe, and can be read.
 * @returns undefined when somebody said no
 * @throws RollcallError `RC_RECIPE_NONE`, `RC_RECIPE_TRIGGER`, `RC_RECIPE_QUEUE`, `RC_TRIGGERS_MISSING`
 */
export async function takeOverRecipe(
  sql: Sql,
  config: Config,
  options: RecipeOptions,
  cli: Cli,
): Promise<RecipeReport | undefined> {
  const named = options.trigger ?? [];
  const all = await readForeignTriggers(sql);
  const unknown = named.find((name) => !all.some((trigger) => fullName(trigger) === name));
  const found = recipeTriggers(all, named).filter(({ trigger }) => trigger.enabled && !trigger.silenced);
  const before = await readTakenOver(sql);
  if (unknown !== undefined || found.length + before.length === 0) throw none(unknown);
  const taken: Taken[] = found.map(({ recipe, trigger, urls }) => ({ ...trigger, recipe, urls }));
  if (taken.length > 0) {
    const width = widthOf(cli.io.stdout);
    const { say } = plan(taken, whereOf(config), width, cli);
    cli.note(...say);
    if (!(await ask(cli, 'Switch this off, and take over?', options.yes))) return undefined;
    const guard = { projectRef: refOf(config), environment: config.environment, configHash: config.hash };
    await takeOver(sql, taken, guard, (ms) => pause(ms));
  }
  const progress = createProgress(cli.io.stderr);
  try {
    const awaited = await awaitRequests(sql, urlsOf([...taken, ...before]), {
      pause: (ms) => pause(ms),
      onLeft: (n) => progress.show(`${count(n, 'request')} of the recipe still to go out`),
    });
    return { switched: taken.map(fullName), before: before.map(fullName), awaited };
  } finally {
    progress.done();
  }
}

/** Makes the recipe what it was, and says so. */
export async function undoRecipe(sql: Sql, cli: Cli, json: boolean): Promise<number> {
  const back = await giveBack(sql, (ms) => pause(ms));
  const restored = back.map(fullName);
  if (json) cli.json({ recipe: { restored } });
  else if (back.length === 0) cli.say('No trigger of a recipe is switched off: nothing to undo.');
  else {
    cli.say(
      `${cli.paint('green', 'On again:')} ${restored.join(', ')}.`,
      'It sends beside Rollcall now: stop the workers, or `rollcall uninstall`. Whoever signed up meanwhile was told by Rollcall, not by the recipe.',
    );
  }
  return 0;
}

/** The lines about a recipe in a report. */
export function renderRecipe({ switched, before, awaited }: RecipeReport, width: number): readonly string[] {
  const off = [...switched, ...before];
  return [
    wrap(`Switched off: ${off.join(', ')}. \`rollcall adopt --recipe --undo\` switches it on again.`, width),
    ...(awaited === 0 ? [] : [`${count(awaited, 'request')} of it went out meanwhile and were waited for.`]),
  ];
}

function plan(taken: readonly Taken[], where: string, width: number, cli: Cli): { readonly say: readonly string[] } {
  const lines = taken.map((each) => `  ${cli.paint('red', '-')} ${fullName(each)}  (${each.recipe} recipe)`);
  const words =
    'They stay where they are and run no more. New sign-ups are captured by Rollcall from the same moment on. Requests that the recipe has put into the queue of pg_net go out first: one that came after ours would bring back older values.';
  return { say: [cli.paint('bold', `Take over in ${where}`), '', ...lines, '', wrap(words, width), ''] };
}

/** All of them where one does not tell: then whatever waits now is waited for. */
function urlsOf(taken: readonly { readonly urls: readonly string[] }[]): readonly string[] {
  return taken.some(({ urls }) => urls.length === 0) ? [] : [...new Set(taken.flatMap(({ urls }) => urls))];
}

function none(unknown: string | undefined): RollcallError {
  return new RollcallError(
    'RC_RECIPE_NONE',
    unknown === undefined ? 'No trigger of a recipe was found in this database.' : `There is no trigger ${unknown}.`,
    {
      hint: '`rollcall doctor` lists the triggers and Database Webhooks that send. One that is not recognised can be named: --trigger schema.table.trigger.',
    },
  );
}
