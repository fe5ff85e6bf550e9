import type { Command } from 'commander';
import { uninstall } from '../sql/apply.ts';
import { UNINSTALL_SCRIPT } from '../sql/install-script.ts';
import { quoteLiteral } from '../sql/quote.ts';
import type { Sql } from '../sql/port.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { widthOf } from './io.ts';
import { count, hanging, wrap } from './layout.ts';
import { type Outside, readOutside } from './left-behind.ts';
import { loadConfig } from './load-config.ts';
import { dropMirror } from '../sources/api/mirror-ddl.ts';
import { whereOf } from './where.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly yes?: boolean | undefined;
  readonly sql?: boolean | undefined;
}

/** `rollcall uninstall`: removes everything from the database; the destinations keep their contacts. */
export function define(command: Command, cli: Cli): void {
  command
    .description('Removes everything Rollcall put into the database. The contacts at the destinations stay.')
    .option('-y, --yes', 'do not ask')
    .option('--sql', 'print the SQL instead, and change nothing')
    .addHelpText('after', examples('rollcall uninstall', 'rollcall uninstall --sql'));
  cli.action(command, runUninstall);
}

async function runUninstall(options: Options, cli: Cli): Promise<number> {
  if (options.sql === true) {
    cli.say(UNINSTALL_SCRIPT);
    return 0;
  }
  const config = await loadConfig(cli);
  return withDatabase(config, async (sql) => {
    const where = whereOf(config);
    const present = await whatIsThere(sql);
    const copies = config.api === undefined ? [] : await copiesOf(sql);
    if (present === undefined && copies.length === 0) {
      cli.say(wrap(`Nothing to remove: Rollcall is not installed in ${where}.`, widthOf(cli.io.stdout)));
      return 0;
    }
    const outside = await readOutside(sql);
    const width = widthOf(cli.io.stdout);
    const taken = (what: string): string => hanging('    ', what, width).replace('    ', `  ${cli.paint('red', '-')} `);
    cli.say(
      cli.paint('bold', wrap(`Uninstall from ${where}`, width)),
      '',
      ...(present === undefined || present.triggers === 0 ? [] : [taken(triggersOf(present))]),
      ...(present === undefined ? [] : [taken(schemaOf(present))]),
      ...(copies.length === 0 ? [] : [taken(`what was read by the API: ${copies.join(', ')}`)]),
      ...(outside.jobs.length === 0
        ? []
        : [taken(`${count(outside.jobs.length, 'job')} of pg_cron: ${outside.jobs.join(', ')}`)]),
      '',
      ...recipesLeft(outside, width),
      'Contacts at the destinations stay as they are. Stop the workers first.',
      '',
    );
    if (!(await ask(cli, 'Remove all of this?', options.yes))) return 1;
    await uninstall(sql);
    if (config.api !== undefined) await sql.transaction(dropMirror);
    const folder = config.api?.stateFolder;
    const andFolder = folder === undefined ? '' : ` The folder ${folder} can be deleted.`;
    cli.say(`${cli.paint('green', 'Removed.')} ${whatIsLeft(outside)}${andFolder}`);
    return 0;
  });
}

/** Said before the question: once the schema is gone, nobody knows what they were. */
function recipesLeft({ recipes }: Outside, width: number): readonly string[] {
  if (recipes.length === 0) return [];
  const text = `Triggers of the recipe stay switched off: ${recipes.join(', ')}. Shall they send again, then first \`rollcall adopt --recipe --undo\`.`;
  return [wrap(text, width), ''];
}

/** Secrets are left: whoever installs again needs the key of erasures, and no other one finds who was erased. */
function whatIsLeft({ secrets }: Outside): string {
  if (secrets.length === 0) return 'Nothing of Rollcall is left in the database.';
  const list = secrets.map(quoteLiteral).join(', ');
  return `Only secrets in Vault are left: ${secrets.join(', ')}. When they are not wanted again: delete from vault.secrets where name in (${list});`;
}

interface Present {
  /** Tables of ours. */
  readonly own: number;
  readonly triggers: number;
  /** The project's tables that have triggers of ours. */
  readonly tables: readonly string[];
}

function triggersOf({ triggers, tables }: Present): string {
  return `${count(triggers, 'trigger')} on ${tables.join(', ')}`;
}

function schemaOf({ own }: Present): string {
  return `schema rollcall with ${count(own, 'table')}, and what they know: which contact is where, what failed, what is still to be sent`;
}

/** Tables of the project whose rows were read by the API, also where nothing was applied. */
async function copiesOf(sql: Sql): Promise<readonly string[]> {
  const [there] = await sql.query<{ there: boolean }>(
    `select to_regclass('rollcall_api.sources') is not null as there`,
  );
  if (there?.there !== true) return [];
  return (await sql.query<{ name: string }>('select name from rollcall_api.sources order by id')).map(
    ({ name }) => name,
  );
}

async function whatIsThere(sql: Sql): Promise<Present | undefined> {
  const [row] = await sql.query<Present & { there: boolean; [column: string]: unknown }>(`
    with triggers as (
      select n.nspname || '.' || c.relname as name from pg_trigger t
        join pg_proc f on f.oid = t.tgfoid join pg_namespace o on o.oid = f.pronamespace
        join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
       where o.nspname = 'rollcall' and not t.tgisinternal)
    select exists (select from pg_namespace where nspname = 'rollcall') as there,
      (select count(*)::int from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'rollcall' and c.relkind = 'r') as own,
      (select count(*)::int from triggers) as triggers,
      array(select distinct regexp_replace(t.name, '^public[.]', '') from triggers t order by 1) as tables`);
  return row?.there === true ? row : undefined;
}
