import type { Command } from 'commander';
import { registry } from '../destinations/registry.ts';
import type { Foreteller } from '../engine/foretell.ts';
import type { Send } from '../engine/ports.ts';
import { configured } from '../homes/configured.ts';
import { type ResolvedConfig, resolveConfig } from '../homes/resolve-options.ts';
import { adjustedPlan } from '../sql/compile/adjustment.ts';
import { refOf } from '../sql/open-database.ts';
import { planPeople } from '../sql/plan/run.ts';
import type { Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { type DatabasePlan, type DestinationPlan, planDatabase, planDestinations } from './apply-plan.ts';
import { type ApplyView, renderApply } from './apply-show.ts';
import type { Cli } from './cli.ts';
import { sandboxProblem } from './development.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { count } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { planDocument } from './plan-document.ts';
import { createTally, type PlannedPeople, type Tally } from './plan-tally.ts';
import { renderPeople } from './plan-view.ts';
import { createProgress, type Progress } from './progress.ts';
import { reportError } from './report-error.ts';
import { skippedNames } from './skipped-names.ts';
import { whereOf } from './where.ts';
import { withProject } from './with-project.ts';

interface Options {
  readonly sample?: boolean | undefined;
  readonly skipDestinations?: true | readonly string[] | undefined;
  readonly reveal?: boolean | undefined;
  readonly check?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Of each kind of people: an answer within two seconds, and shares to about two in a hundred. */
const SAMPLE = 2_500;

/** `rollcall plan`: what `apply` and the sync after it would do. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'What `rollcall apply` and the next sync would do: objects in the database, fields and lists at destinations, and who is created, changed, left out or removed, by how many calls. Nothing is sent, and nothing is changed.',
    )
    .option('--sample', 'look at some people only: an estimate in two seconds')
    .option('--skip-destinations [names...]', 'do not ask these destinations; none without a name')
    .option('--reveal', 'show addresses in full')
    .option('--check', 'exit code 1 when anything would change')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples('rollcall plan', 'rollcall plan --sample', 'rollcall plan --config next.yaml --check --json'),
    );
  cli.action(command, runPlan);
}

async function runPlan(options: Options, cli: Cli): Promise<number> {
  const loaded = await loadConfig(cli);
  const skipped = skippedNames(options.skipDestinations, loaded);
  return await withProject(loaded, { what: 'rows' }, cli, async (sql) => {
    const resolved = await resolveConfig(loaded, sql, registry);
    const transport = createUndiciSend();
    try {
      return await planWith({ sql, resolved, skipped, send: transport.send }, options, cli);
    } finally {
      await transport.close();
    }
  });
}

interface Parts {
  readonly sql: Sql;
  readonly resolved: ResolvedConfig;
  readonly skipped: readonly string[];
  readonly send: Send;
}

async function planWith({ sql, resolved, skipped, send }: Parts, options: Options, cli: Cli): Promise<number> {
  const { config } = resolved;
  const progress = createProgress(cli.io.stderr, options.json === true);
  try {
    const database = await planDatabase(sql, config);
    // `apply` would refuse it.
    if ((database.installed?.identity ?? null) !== null)
      await sql.query('select rollcall.check_identity($1, $2)', [refOf(config), config.environment]);
    const look = (name: string): boolean => !skipped.includes(name);
    const down = await sandboxProblem({ destinations: config.destinations.filter(({ name }) => look(name)) });
    if (down !== undefined) throw down;
    const destinations = await planDestinations(resolved, look, database.attributes, send, (name, ms, why) =>
      progress.step(`Waiting ${Math.ceil(ms / 1000)} s for ${name}: ${why}.`),
    );
    const problems = destinations.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
    const where = whereOf(config);
    const view: ApplyView = { config, where, database, destinations, skipped };
    const people = await planAll({ sql, view, sample: options.sample === true }, progress);
    progress.done();
    const page = { width: widthOf(cli.io.stdout), paint: cli.paint, reveal: options.reveal === true };
    if (options.json === true) cli.json(planDocument(view, people, page.reveal));
    else cli.say(renderApply(view, cli.paint, page.width), '', renderPeople(config, people, page));
    for (const problem of problems) await reportError(problem, cli.io);
    return problems.length > 0 || (options.check === true && changes(database, destinations, people)) ? 1 : 0;
  } finally {
    progress.done();
  }
}

async function planAll(
  { sql, view, sample }: { readonly sql: Sql; readonly view: ApplyView; readonly sample: boolean },
  progress: Progress,
): Promise<PlannedPeople> {
  const { config, database, destinations } = view;
  const { installed, sources } = database;
  const tallies = new Map<string, Tally>();
  for (const { name } of config.destinations) {
    const to = foreteller(view, name);
    if (to !== undefined && destinations.find((d) => d.name === name)?.problem === undefined)
      tallies.set(name, createTally(to));
  }
  const look = await planPeople(sql, config, sources, {
    installed: installed !== undefined,
    forgotten: config.destinations
      .filter(({ name, account }) => {
        const before = installed?.accounts[name] ?? '';
        return account !== undefined && before !== '' && before !== account;
      })
      .map(({ name }) => name),
    mended: destinations.filter(({ fields }) => (fields?.changes.create.length ?? 0) > 0).map(({ name }) => name),
    sample: sample ? SAMPLE : undefined,
    onProgress: ({ step, done, of }) => {
      const so = of === undefined ? count(done, 'row') : `${done.toLocaleString('en-US')} of ${count(of, 'contact')}`;
      progress.show(`${{ reading: 'Reading', comparing: 'Comparing', looking: 'Looking at people' }[step]}: ${so}`);
    },
    onRow: (row, name, weight) => void tallies.get(name)?.add(row, weight),
  });
  return { look, estimate: sample, destinations: new Map([...tallies].map(([name, tally]) => [name, tally.result()])) };
}

/** What is said at a destination, and how; its lists under numbers that stand for theirs. */
function foreteller({ config, database }: ApplyView, name: string): Foreteller | undefined {
  const found = configured(config, name, registry);
  if (found === undefined) return undefined;
  const { destination, options, entry } = found;
  const { lists } = destination;
  const names = lists?.names(options) ?? [];
  return {
    destination,
    config:
      lists === undefined || names.length === 0
        ? options
        : lists.resolve(
            options,
            names.map((list, n) => ({ id: n + 1, name: list })),
          ),
    plan: adjustedPlan(database.attributes, entry.adjustment, config.file),
  };
}

/** Whether `apply` or the sync has anything to do. */
function changes(database: DatabasePlan, destinations: readonly DestinationPlan[], people: PlannedPeople): boolean {
  const { installed, migrations, triggers, dropped } = database;
  return (
    installed === undefined ||
    migrations.length + triggers.made.length + triggers.removed.length + dropped.length > 0 ||
    destinations.some(({ fields, lists }) => (fields?.changes.create.length ?? 0) + (lists?.create.length ?? 0) > 0) ||
    [...people.destinations.values()].some(
      (each) => each.people.create + each.people.update + each.people.delete + each.people.unsubscribe > 0,
    )
  );
}
