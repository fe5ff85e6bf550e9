import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { maskAddress } from '../core/mask.ts';
import { isRestored } from '../engine/fatal.ts';
import { readKeptPlace } from '../engine/kept.ts';
import { recover, type RecoverReport } from '../engine/recover.ts';
import { keptPlace } from '../homes/kept-place.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import { keptStore } from '../sql/store/kept.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { examples } from './examples.ts';
import { differencesOf } from '../sql/identity-check.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { repeatable } from './option-values.ts';
import { renderRecover } from './recover-view.ts';
import { withRemote } from './remote-session.ts';
import { stopSignal } from './stop-signal.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly yes?: boolean | undefined;
  readonly withoutReading?: readonly string[] | undefined;
  /** False: what was kept is not read. */
  readonly withoutKept?: boolean | undefined;
  readonly showAddresses?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `rollcall recover`: takes a restored database into use. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'After a restore, a failover or an upgrade: reads what the destinations have, and only then lets this database send. What is equal there is not sent again, and who unsubscribed there is opted out here.',
    )
    .option('-y, --yes', 'do not ask')
    .option(
      '--without-reading <name>',
      'a destination that is not read: everybody is sent there again; may be repeated',
      repeatable,
    )
    .option(
      '--without-kept',
      'go on without what `erasure.export` has kept: who was erased or said no since is not known',
    )
    .option('--show-addresses', 'show addresses in full')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples('rollcall recover', 'rollcall recover --yes --without-reading mailtrap'));
  cli.action(command, runRecover);
}

async function runRecover(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return withDatabase(config, async (sql) => {
    const differs = await differencesOf(sql, refOf(config), config.environment);
    if (differs === undefined) {
      if (options.json === true) cli.json({ recovered: false, destinations: [] });
      else cli.say('This database is the one Rollcall is bound to: nothing to recover.');
      return 0;
    }
    checkRestored(differs);
    const question = 'Shall this database send from now on? No worker of another copy may still be sending.';
    if (!(await ask(cli, question, options.yes))) return 1;
    const reports = await read({ cli, config, sql }, options.withoutReading ?? [], options.withoutKept !== true);
    const shown = reports.map((report) => masked(report, options.showAddresses === true));
    if (options.json === true) cli.json({ recovered: true, destinations: shown });
    else {
      cli.say(renderRecover(shown, widthOf(cli.io.stdout)));
      if (!(await isApplied(sql, config)))
        cli.note('Another config than this one is applied here: run `rollcall apply` next.');
    }
    return 0;
  });
}

/** @throws RollcallError for an install that is no restored one */
function checkRestored(differs: string): void {
  if (isRestored(differs)) return;
  const unbound = differs === 'unbound';
  throw new RollcallError(
    'RC_NOT_RESTORED',
    unbound
      ? 'This install was never bound to a database, so there is nothing to recover.'
      : `This is no restored original but a copy (${differs} differs), so there is nothing to recover.`,
    {
      hint: unbound ? 'Run `rollcall rebind`.' : 'If this copy shall send, run `rollcall rebind --environment <name>`.',
    },
  );
}

async function read(
  at: { readonly cli: Cli; readonly config: Config; readonly sql: Sql },
  unread: readonly string[],
  withKept: boolean,
): Promise<readonly RecoverReport[]> {
  const stop = stopSignal(at.cli.io);
  const place = withKept ? keptPlace(at.config) : undefined;
  try {
    const kept =
      place === undefined
        ? undefined
        : {
            store: keptStore(at.sql, identityOf(at.config)),
            value: await readKeptPlace(place, stop.signal),
          };
    return await withRemote({ ...at, names: undefined, check: unread }, async (sessions, store, problems) => {
      const wanted = sessions.filter(({ access }) => !unread.includes(access.state.name));
      const missing = (await store.destinations()).find(
        ({ name }) => !unread.includes(name) && !wanted.some(({ access }) => access.state.name === name),
      );
      if (missing !== undefined)
        throw problems.get(missing.name) ?? unreadable(missing.name, 'this config does not name it');
      try {
        return await recover({ accesses: wanted.map(({ access }) => access), unread, store, kept }, stop.signal);
      } catch (error) {
        throw explained(error) ?? error;
      } finally {
        for (const { done } of wanted) done();
      }
    });
  } finally {
    stop.done();
  }
}

/** A destination that cannot be read stops it all: to send without knowing what is there may undo what people said there. */
function explained(error: unknown): RollcallError | undefined {
  if (!(error instanceof RollcallError) || error.code.split('_')[1] !== 'EXPORT') return undefined;
  return new RollcallError(error.code, error.message, {
    hint: 'Nothing was changed and nothing is sent. Run it again, or with --without-reading <name>: everybody is then sent there again, and opt-outs given there since the backup are not known here.',
    cause: error,
  });
}

function unreadable(name: string, why: string): RollcallError {
  return new RollcallError('RC_EXPORT_NONE', `What ${name} has can't be read: ${why}.`, {
    hint: 'Nothing was changed. Name it in the config, or leave it out with --without-reading.',
  });
}

function masked(report: RecoverReport, show: boolean): RecoverReport {
  return show ? report : { ...report, samples: report.samples.map((s) => ({ ...s, address: maskAddress(s.address) })) };
}

/** The applied config was restored too, and may be an older one. */
async function isApplied(sql: Sql, config: Config): Promise<boolean> {
  const [row] = await sql.query<{ same: boolean }>('select config_hash = $1 as same from rollcall.install', [
    config.hash,
  ]);
  return row?.same === true;
}
