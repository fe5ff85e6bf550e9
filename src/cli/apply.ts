import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import { createFields } from '../engine/fields.ts';
import { createLists } from '../engine/list-ids.ts';
import type { Send } from '../engine/ports.ts';
import { tryAgain } from '../sql/store/failures.ts';
import { type ResolvedConfig, resolveConfig } from '../homes/resolve-options.ts';
import { applyInstall } from '../sql/apply.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { adoptHint } from './adopt-hint.ts';
import { announce, renderAnnouncement } from './apply-foresee.ts';
import { type DatabasePlan, type DestinationPlan, planDatabase, planDestinations } from './apply-plan.ts';
import { renderApply } from './apply-show.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { sandboxProblem } from './development.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { count, wrap } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { reportError } from './report-error.ts';
import { skippedNames } from './skipped-names.ts';
import { allWarnings } from './summary.ts';
import { renderWarnings } from './warnings.ts';
import { whereOf } from './where.ts';
import { withProject } from './with-project.ts';

interface Options {
  readonly yes?: boolean | undefined;
  readonly sql?: boolean | undefined;
  readonly skipDestinations?: true | readonly string[] | undefined;
}

/** `rollcall apply`: the only command that changes generated SQL. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Installs or updates the database side and creates missing fields, after showing what will change.')
    .option('-y, --yes', 'do not ask')
    .option('--sql', 'print one migration file instead, and change nothing')
    .option('--skip-destinations [names...]', 'do not look at these destinations; at none without a name')
    .addHelpText(
      'after',
      examples(
        'rollcall apply',
        'rollcall apply --yes --skip-destinations',
        'rollcall apply --skip-destinations brevo',
        'rollcall apply --sql > supabase/migrations/20260101000000_rollcall.sql',
      ),
    );
  cli.action(command, runApply);
}

async function runApply(options: Options, cli: Cli): Promise<number> {
  const loaded = await loadConfig(cli);
  const skips = skippedNames(options.skipDestinations, loaded);
  return withProject(loaded, { what: 'tables' }, cli, async (sql) => {
    const resolved = await resolveConfig(loaded, sql, registry);
    const database = await planDatabase(sql, resolved.config);
    if (options.sql === true) {
      cli.say(migrationFile(database.script));
      return 0;
    }
    const transport = createUndiciSend();
    try {
      return await applyWith({ sql, resolved, database, skips, send: transport.send }, options, cli);
    } finally {
      await transport.close();
    }
  });
}

/** The script as one file. What the database can't know, its identity, is bound afterwards. */
function migrationFile(script: string): string {
  return `${script}\n-- After this has run: \`rollcall rebind\` binds the install to its database; until then nothing is sent.`;
}

interface Parts {
  readonly sql: Sql;
  readonly resolved: ResolvedConfig;
  readonly database: DatabasePlan;
  readonly skips: readonly string[];
  readonly send: Send;
}

async function applyWith(parts: Parts, options: Options, cli: Cli): Promise<number> {
  const { sql, resolved, database, skips, send } = parts;
  const { config } = resolved;
  const ref = refOf(config);
  // Said before anything is shown or asked: `applyInstall` would refuse it in the end.
  if ((database.installed?.identity ?? null) !== null) {
    await sql.query('select rollcall.check_identity($1, $2)', [ref, config.environment]);
  }
  const look = (name: string): boolean => !skips.includes(name);
  const down = await sandboxProblem({ destinations: config.destinations.filter(({ name }) => look(name)) });
  if (down !== undefined) throw down;
  const destinations = await planDestinations(resolved, look, database.attributes, send, tell(cli));
  const width = widthOf(cli.io.stdout);
  const view = { config, where: whereOf(config), database, destinations, skipped: skips };
  const warnings = renderWarnings(config.file, allWarnings(config, database.sources), cli.paint, width);
  cli.say(...warnings, renderApply(view, cli.paint, width), '');
  const left = new Map(destinations.flatMap(({ name, problem }) => (problem === undefined ? [] : [[name, problem]])));
  const [only] = left.values();
  // There is no other for whose sake anything could be done.
  if (only !== undefined && left.size === config.destinations.length) {
    for (const problem of [...left.values()].slice(1)) await reportError(problem, cli.io);
    throw only;
  }
  for (const problem of left.values()) await reportError(problem, cli.io);
  const announced = await announce(sql, config, database);
  const lines = renderAnnouncement(announced, width);
  if (lines.length > 0) cli.say(...lines, '');
  const names = [...left.keys()].join(', ');
  const question = left.size === 0 ? 'Apply these changes?' : `Apply these changes, and leave ${names} as it is?`;
  if (!(await ask(cli, question, options.yes))) return 1;
  // Fields first: a worker that starts between the two steps must find them.
  for (const [name, problem] of await createAll(destinations, cli)) {
    if (config.destinations.length === 1) throw problem;
    await reportError(problem, cli.io);
    left.set(name, problem);
  }
  await applyInstall(sql, config, ref, announced);
  // Whoever was refused for a field that was missing.
  const made = destinations.filter(({ name, fields }) => !left.has(name) && (fields?.changes.create.length ?? 0) > 0);
  const mended = made.map(({ name }) => name);
  if (mended.length > 0) await tryAgain(sql, mended);
  cli.say(wrap(APPLIED, width).replace('Applied.', cli.paint('green', 'Applied.')));
  const hint = database.installed === undefined ? adoptHint(config, width) : undefined;
  if (hint !== undefined) cli.say(hint);
  if (left.size === 0) return 0;
  cli.note(`Left as it is: ${[...left.keys()].join(', ')}. Mend what is said above, and run \`rollcall apply\` again.`);
  return 1;
}

/** Creates what is missing where nothing stands in the way. @returns what stopped it, by the destination's name */
async function createAll(
  destinations: readonly DestinationPlan[],
  cli: Cli,
): Promise<ReadonlyMap<string, RollcallError>> {
  const problems = new Map<string, RollcallError>();
  for (const { name, fields, lists, problem } of destinations) {
    if (problem !== undefined) continue;
    try {
      if (lists !== undefined && lists.create.length > 0) {
        await createLists(lists.access, lists.create);
        cli.say(`Created ${count(lists.create.length, 'list')} at ${name}.`);
      }
      if (fields !== undefined && fields.changes.create.length > 0) {
        await createFields(fields.access, fields.changes.create);
        cli.say(`Created ${count(fields.changes.create.length, 'field')} at ${name}.`);
      }
    } catch (error) {
      if (!(error instanceof RollcallError)) throw error;
      problems.set(name, error);
    }
  }
  return problems;
}

function tell(cli: Cli): (name: string, ms: number, why: string) => void {
  return (name, ms, why) => cli.note(`Waiting ${Math.ceil(ms / 1000)} s for ${name}: ${why}.`);
}

const APPLIED =
  'Applied. Next: `rollcall start` runs a worker, `rollcall status` shows what it does. Workers with another config end now: start them again.';
