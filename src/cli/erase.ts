import type { Command } from 'commander';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { maskAddress } from '../core/mask.ts';
import { keep } from '../engine/kept.ts';
import { pause } from '../engine/wake.ts';
import { keptPlace } from '../homes/kept-place.ts';
import type { Sql } from '../sql/port.ts';
import { type Erasure, type EraseStore, eraseStore, personUnknown } from '../sql/store/erase.ts';
import { erasureStore } from '../sql/store/erasure.ts';
import { identityOf } from '../sql/store/identity.ts';
import { keptStore } from '../sql/store/kept.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import { renderErasure, renderErasures, renderWaiting } from './erase-view.ts';
import { examples } from './examples.ts';
import { count, wrap } from './layout.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { repeatable } from './option-values.ts';
import { createProgress } from './progress.ts';
import { stopSignal } from './stop-signal.ts';
import { withDatabase } from './with-database.ts';

interface Options {
  readonly person: string | undefined;
  readonly yes?: boolean | undefined;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly without?: readonly string[] | undefined;
  readonly list?: boolean | undefined;
  readonly export?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const LOOK_MS = 300;
/** A project that is read by its API still has them. */
const COPY =
  ' What was read of their rows stays in the state database until the project no longer has them: delete them there too.';

/** `rollcall erase`: deletes a person everywhere, for good. */
export function define(command: Command, cli: Cli): void {
  command
    .description(
      'Erases a person: deleted at every destination until a look there says gone, and from all that Rollcall holds. What stays are keyed hashes: so that nobody makes them again, and that what they said of being mailed holds. It cannot be undone.',
    )
    .argument('[person]', 'the id of a user, or an address')
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'do not wait until it is done: the workers go on with it')
    .option('--without <destination>', 'one that is not waited for any more; may be repeated', repeatable)
    .option('--list', 'show all erasures, and what those at work wait for')
    .option('--export', 'write what outlives a restore to `erasure.export` now')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples('rollcall erase ann@example.com', 'rollcall erase --list', 'rollcall erase --export'),
    );
  cli.action(command, (options: Omit<Options, 'person'>) =>
    runErase({ ...options, person: command.processedArgs[0] as string | undefined }, cli),
  );
}

async function runErase(options: Options, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return await withDatabase(config, async (sql) => {
    const identity = identityOf(config);
    await sql.query('select rollcall.check_install($1, $2, $3)', [
      identity.configHash,
      identity.projectRef,
      identity.environment,
    ]);
    const store = eraseStore(sql, identity);
    if (options.list === true) {
      const all = await store.list();
      if (options.json === true) cli.json(all);
      else cli.say(renderErasures(all));
      return 0;
    }
    if (options.export === true) return await writeKept(config, sql, cli);
    if (options.person === undefined) {
      throw new RollcallError('RC_ERASE_WHOM', 'It is not said who is to be erased.', {
        hint: 'Give the id of a user, or an address; or --list, or --export.',
      });
    }
    return await eraseOne({ ...options, person: options.person }, { config, sql, store }, cli);
  });
}

async function writeKept(config: Config, sql: Sql, cli: Cli): Promise<number> {
  const place = keptPlace(config);
  if (place === undefined) {
    throw new RollcallError('RC_KEPT_NOWHERE', 'The config names no place for what outlives a restore.', {
      hint: 'Set `erasure: {export: <a path or an https address>}`.',
    });
  }
  const store = keptStore(sql, identityOf(config));
  const lines = await keep({ store, place, everyMs: 0 }, true, new AbortController().signal);
  cli.say(`Written to ${place.name}: ${count(lines ?? 0, 'line')}.`);
  return 0;
}

interface Parts {
  readonly config: Config;
  readonly sql: Sql;
  readonly store: EraseStore;
}

async function eraseOne(options: Options & { readonly person: string }, parts: Parts, cli: Cli): Promise<number> {
  const { config, store } = parts;
  const known = config.destinations.map(({ name }) => name);
  const keys = await store.whom(options.person);
  if (keys.length === 0) throw personUnknown();
  const whom = keys.toSorted(usersFirst).map(named).join(' and ');
  const text = `This erases ${whom} at ${known.join(', ') || 'no destination'}, and all that is held here. It cannot be undone.${config.api === undefined ? '' : COPY}`;
  cli.note(wrap(text, widthOf(cli.io.stderr)));
  if (!(await ask(cli, 'Erase this person?', options.yes))) return 1;
  if (await store.makeKey()) {
    cli.note(
      'A key for the hashes of the erased was made in Vault (rollcall_erasure_key): keep it, and never change it.',
    );
  }
  const id = await store.erase(options.person);
  for (const name of options.without ?? []) await store.leaveOut(id, name);
  const done = await wait(id, options, parts, cli);
  if (done === undefined) return 130;
  if (options.json === true) cli.json(done);
  else cli.say(renderErasure(done));
  return 0;
}

function usersFirst(one: string, other: string): number {
  return Number(one.startsWith('email:')) - Number(other.startsWith('email:'));
}

/** Whom a key names: an address is shown to whoever knows it. */
function named(key: string): string {
  return key.startsWith('email:')
    ? `whoever is known by ${maskAddress(key.slice('email:'.length))} alone`
    : `the user ${key}`;
}

/** Until it is finished, or as far as it is where nobody waits or works; undefined when it was stopped. */
async function wait(
  id: string,
  options: Options,
  { config, sql, store }: Parts,
  cli: Cli,
): Promise<Erasure | undefined> {
  const stop = stopSignal(cli.io);
  const progress = createProgress(cli.io.stderr, options.json);
  const erasures = erasureStore(sql, identityOf(config));
  try {
    for (;;) {
      // What is settled everywhere needs no worker.
      await erasures.finish();
      const [found] = await store.list(id);
      if (found === undefined) throw personUnknown();
      if (found.state === 'finished' || !options.wait) return found;
      if (!(await store.isWorked())) {
        progress.done();
        cli.note(
          'No worker runs: start one with `rollcall start`, and it goes on. `rollcall erase --list` shows how far it is.',
        );
        return found;
      }
      progress.show(renderWaiting(found));
      await pause(LOOK_MS, stop.signal);
      if (stop.signal.aborted) {
        progress.done();
        cli.note('Stopped waiting. The workers go on with it: see `rollcall erase --list`.');
        return undefined;
      }
    }
  } finally {
    progress.done();
    stop.done();
  }
}
