import type { Command } from 'commander';
import { RollcallError } from '../core/errors.ts';
import { isRestored, notInstalled } from '../engine/fatal.ts';
import { refOf } from '../sql/open-database.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { differencesOf } from '../sql/identity-check.ts';
import { type Identity, type Installed, readInstalled } from './installed.ts';
import { columns } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly yes?: boolean | undefined;
  readonly environment?: string | undefined;
  readonly withoutReading?: boolean | undefined;
}

/** `rollcall rebind`: says that this copy of a database is the one that sends. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Binds this install to this database. A clone or a branch sends nothing before that; then everybody is sent again. After a restore, `rollcall recover` is right.',
    )
    .option('-y, --yes', 'do not ask')
    .option('--environment <name>', 'environment to bind to (default: that of the config)')
    .option('--without-reading', 'also after a restore, without reading what the destinations have')
    .addHelpText('after', examples('rollcall rebind', 'rollcall rebind --environment staging --yes'));
  cli.action(command, runRebind);
}

async function runRebind(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const environment = options.environment ?? config.environment;
  return withDatabase(config, async (sql) => {
    const ref = refOf(config);
    const installed = await readInstalled(sql);
    if (installed === undefined) {
      throw notInstalled();
    }
    const [row] = await sql.query<{ now: Identity }>('select rollcall.identity() as now');
    const now = row?.now;
    const rows = compare(installed, now, ref, environment);
    const differs = await differencesOf(sql, ref, environment);
    if (differs === undefined) {
      cli.say('This install is bound to this database already: nothing to do.');
      return 0;
    }
    if (isRestored(differs) && options.withoutReading !== true) throw restored(differs);
    cli.say(
      columns(
        [['', 'bound to', 'this database'], ...rows.map((r) => (r[1] === r[2] ? [...r] : [...r, '*']))],
        'llll',
        '',
      ),
      '',
    );
    if (environment !== config.environment) {
      cli.note(`Set \`environment: ${environment}\` in ${config.file} too: a worker with another one stops.`);
    }
    const question = 'Shall this copy send from now on? No other copy may still be sending.';
    if (!(await ask(cli, question, options.yes))) return 1;
    await sql.query('select rollcall.bind($1, $2)', [ref, environment]);
    cli.say(`${cli.paint('green', 'Bound.')} When a worker starts, everybody is sent again.`);
    return 0;
  });
}

/** To send without reading first could undo what people said at a destination since the backup. */
function restored(differs: string): RollcallError {
  return new RollcallError(
    'RC_RESTORED',
    `This looks like the original after a restore, a failover or an upgrade (${differs} differs), not like a copy.`,
    {
      hint: 'Run `rollcall recover`. If it is a copy, name its environment: `rollcall rebind --environment <name>`. If everybody shall be sent again unread, add --without-reading.',
    },
  );
}

type Line = readonly [what: string, before: string, after: string];

/** What tells databases apart, before and now. */
function compare(
  { identity, projectRef: boundRef, environment: boundTo }: Installed,
  now: Identity | undefined,
  ref: string,
  environment: string,
): readonly Line[] {
  const none = 'unbound';
  const oids = (of: Identity | null | undefined): string => of?.oids.join(' ') ?? none;
  return [
    ['project', boundRef ?? none, ref],
    ['environment', boundTo ?? none, environment],
    ['database', identity?.database ?? none, now?.database ?? ''],
    ['cluster', identity?.system_identifier ?? none, now?.system_identifier ?? ''],
    ['timeline', identity?.timeline ?? none, now?.timeline ?? ''],
    ['tables', oids(identity), oids(now)],
  ];
}
