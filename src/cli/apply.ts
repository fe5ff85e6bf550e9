import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import { createFields } from '../engine/fields.ts';
import type { Send } from '../engine/ports.ts';
import { tryAgain } from '../sql/store/failures.ts';
import { applyInstall } from '../sql/apply.ts';
import { refOf, requireDatabaseUrl } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { createUndiciSend } from '../transport/undici.ts';
import { announce, renderAnnouncement } from './apply-foresee.ts';
import { type DatabasePlan, type DestinationPlan, planDatabase, planDestinations } from './apply-plan.ts';
import { renderApply } from './apply-show.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { count } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { allWarnings } from './summary.ts';
import { renderWarnings } from './warnings.ts';
import { whereIs } from './where.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly yes?: boolean | undefined;
  readonly sql?: boolean | undefined;
  readonly skipDestinations?: boolean | undefined;
}

/** `rollcall apply`: the only command that changes generated SQL. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Installs or updates the database side and creates missing fields, after showing what will change.')
    .option('-y, --yes', 'do not ask')
    .option('--sql', 'print one migration file instead, and change nothing')
    .option('--skip-destinations', 'do not look at the destinations')
    .addHelpText(
      'after',
      examples(
        'rollcall apply',
        'rollcall apply --yes --skip-destinations',
        'rollcall apply --sql > supabase/migrations/20260101000000_rollcall.sql',
      ),
    );
  cli.action(command, runApply);
}

async function runApply(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return withDatabase(config, async (sql) => {
    const database = await planDatabase(sql, config);
    if (options.sql === true) {
      cli.say(migrationFile(database.script));
      return 0;
    }
    const transport = createUndiciSend();
    try {
      return await applyWith({ sql, config, database, send: transport.send }, options, cli);
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
  readonly config: Config;
  readonly database: DatabasePlan;
  readonly send: Send;
}

async function applyWith({ sql, config, database, send }: Parts, options: Options, cli: Cli): Promise<number> {
  const url = requireDatabaseUrl(config);
  const ref = refOf(config);
  // Said before anything is shown or asked: `applyInstall` would refuse it in the end.
  if ((database.installed?.identity ?? null) !== null) {
    await sql.query('select rollcall.check_identity($1, $2)', [ref, config.environment]);
  }
  const destinations =
    options.skipDestinations === true
      ? undefined
      : await planDestinations(config, database.attributes, send, tell(cli));
  const width = widthOf(cli.io.stdout);
  const view = { config, where: whereIs(url), database, destinations };
  const warnings = renderWarnings(config.file, allWarnings(config, database.sources), cli.paint, width);
  cli.say(...warnings, renderApply(view, cli.paint, width), '');
  const problem = destinations?.find((d) => d.problem !== undefined)?.problem;
  if (problem !== undefined) throw problem;
  const announced = await announce(sql, config, database);
  const lines = renderAnnouncement(announced, width);
  if (lines.length > 0) cli.say(...lines, '');
  if (!(await ask(cli, 'Apply these changes?', options.yes))) return 1;
  // Fields first: a worker that starts between the two steps must find them.
  await createAll(destinations ?? [], cli);
  await applyInstall(sql, config, ref, announced);
  // Whoever was refused for a field that was missing.
  const mended = (destinations ?? []).filter(({ changes }) => changes.create.length > 0).map(({ name }) => name);
  if (mended.length > 0) await tryAgain(sql, mended);
  cli.say(
    `${cli.paint('green', 'Applied.')} Next: \`rollcall start\` runs a worker, \`rollcall status\` shows what it does. Workers with another config end now: start them again.`,
  );
  return 0;
}

async function createAll(destinations: readonly DestinationPlan[], cli: Cli): Promise<void> {
  for (const { name, access, changes } of destinations) {
    if (changes.create.length === 0) continue;
    await createFields(access, changes.create);
    cli.say(`Created ${count(changes.create.length, 'field')} at ${name}.`);
  }
}

function tell(cli: Cli): (name: string, ms: number, why: string) => void {
  return (name, ms, why) => cli.note(`Waiting ${Math.ceil(ms / 1000)} s for ${name}: ${why}.`);
}
