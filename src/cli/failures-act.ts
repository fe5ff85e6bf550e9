import { RollcallError } from '../core/errors.ts';
import {
  dropFailures,
  type FailureCause,
  type FailureScope,
  type Retried,
  retryFailures,
} from '../sql/store/failures.ts';
import { ask } from './ask.ts';
import type { Cli } from './cli.ts';
import type { Cause } from './failure-cause.ts';
import { causesOf, readFailures } from './failures-show.ts';
import { renderRetried } from './failures-view.ts';
import { widthOf } from './io.ts';
import { count } from './layout.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

interface Scope {
  readonly cause?: Cause | undefined;
  readonly destination?: string | undefined;
  readonly contact?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `rollcall failures retry` */
export async function runRetry(options: Scope, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return await withDatabase(config, async (sql) => {
    const found = await readFailures(sql, options.destination);
    const retried: (Retried & { readonly destination: string })[] = [];
    for (const scope of scopesOf(options, found)) {
      const done = await sql.transaction((tx) => retryFailures(tx, scope));
      if (Object.values(done).some((n) => n > 0)) retried.push({ destination: scope.destination, ...done });
    }
    if (retried.length === 0) throw nothing(options);
    if (options.json === true) {
      cli.json({
        retried: retried.map(({ destination, contacts, readAgain, events, unmapped }) => ({
          destination,
          contacts,
          read_again: readAgain,
          events,
          unmapped,
        })),
      });
    } else {
      const width = widthOf(cli.io.stdout);
      cli.say(...retried.map((done) => renderRetried(done.destination, done, width)));
    }
    return 0;
  });
}

/** `rollcall failures drop` */
export async function runDrop(options: Scope & { readonly yes?: boolean | undefined }, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  return await withDatabase(config, async (sql) => {
    const found = await readFailures(sql, options.destination);
    const scopes = scopesOf(options, found);
    if (!(await ask(cli, question(options, found.causes), options.yes))) return 1;
    const dropped: { destination: string; contacts: number; events: number }[] = [];
    for (const scope of scopes) {
      const done = await sql.transaction((tx) => dropFailures(tx, scope));
      if (done.contacts + done.events > 0) dropped.push({ destination: scope.destination, ...done });
    }
    if (dropped.length === 0) throw nothing(options);
    if (options.json === true) cli.json({ dropped });
    else {
      cli.say(
        ...dropped.map(
          ({ destination, contacts, events }) =>
            `${destination}: ${count(contacts, 'contact')} dropped until they change, ${count(events, 'event')} for ever.`,
        ),
      );
    }
    return 0;
  });
}

/** One scope for each destination that is meant. A contact may be named that has been dropped before, and so is in no cause. */
function scopesOf(
  { cause, contact }: Scope,
  { causes, destinations }: Awaited<ReturnType<typeof readFailures>>,
): readonly FailureScope[] {
  const meant = contact === undefined ? causesOf(causes, cause).map((found) => found.destination) : undefined;
  return destinations
    .filter(({ name }) => meant === undefined || meant.includes(name))
    .map(({ name }) => ({ destination: name, code: cause?.code, field: cause?.field, contact }));
}

function question({ cause, contact }: Scope, causes: readonly FailureCause[]): string {
  if (contact !== undefined) return `Drop what failed of contact ${contact}?`;
  const n = causesOf(causes, cause).reduce((sum, found) => sum + found.count, 0);
  return `Drop ${count(n, 'failure')}?`;
}

function nothing({ contact }: Scope): RollcallError {
  const of = contact === undefined ? '' : ` of contact ${contact}`;
  return new RollcallError('RC_FAILURE_UNKNOWN', `Nothing has failed${of}.`, { hint: 'See `rollcall failures`.' });
}
