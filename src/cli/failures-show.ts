import { RollcallError } from '../core/errors.ts';
import { notInstalled } from '../engine/fatal.ts';
import { type Queryable, sqlState } from '../sql/port.ts';
import {
  type FailedOne,
  type FailureCause,
  failureCauses,
  failureDestinations,
  failuresOf,
} from '../sql/store/failures.ts';
import type { Cli } from './cli.ts';
import { adviceFor } from './failure-advice.ts';
import type { Cause } from './failure-cause.ts';
import { causeOption, type Page, renderCauses, renderFailed, wordsOf } from './failures-view.ts';
import { widthOf } from './io.ts';
import { loadConfig } from './load-config.ts';
import { withDatabase } from './with-database.ts';

interface Shown {
  readonly destination?: string | undefined;
  readonly reveal?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Everything that failed at the destinations that are meant. */
export interface Failures {
  readonly causes: readonly FailureCause[];
  readonly destinations: readonly { readonly name: string; readonly dropped: number }[];
}

/**
 * All destinations, or the one that is named.
 * @throws RollcallError `RC_NOT_INSTALLED`; `RC_DESTINATION_UNKNOWN`
 */
export async function destinationsOf(sql: Queryable, wanted: string | undefined): Promise<Failures['destinations']> {
  const all = await failureDestinations(sql).catch((error: unknown) => {
    // No such schema, table or column: also of an install from before there were any.
    throw ['3F000', '42P01', '42703'].includes(sqlState(error) ?? '') ? notInstalled() : error;
  });
  const found = all.filter(({ name }) => wanted === undefined || name === wanted);
  if (wanted === undefined || found.length > 0) return found;
  throw new RollcallError('RC_DESTINATION_UNKNOWN', `No destination ${JSON.stringify(wanted)} is installed.`, {
    hint: `There is ${all.map(({ name }) => name).join(', ') || 'none'}.`,
  });
}

/** @throws as `destinationsOf` */
export async function readFailures(sql: Queryable, destination: string | undefined): Promise<Failures> {
  const destinations = await destinationsOf(sql, destination);
  const causes = await failureCauses(sql);
  return { causes: causes.filter((cause) => destinations.some((d) => d.name === cause.destination)), destinations };
}

/**
 * The causes that are meant.
 * @throws RollcallError `RC_FAILURE_UNKNOWN` when there are none
 */
export function causesOf(causes: readonly FailureCause[], wanted: Cause | undefined): readonly FailureCause[] {
  const found = causes.filter(
    ({ code, field }) =>
      wanted === undefined || (code === wanted.code && (wanted.field === undefined || field === wanted.field)),
  );
  if (found.length > 0) return found;
  const known = [...new Set(causes.map(causeOption))].join(', ');
  const what = wanted === undefined ? '' : ` for ${causeOption({ code: wanted.code, field: wanted.field ?? null })}`;
  throw new RollcallError('RC_FAILURE_UNKNOWN', `Nothing has failed${what}.`, {
    hint: known === '' ? 'See `rollcall status`.' : `There is ${known}.`,
  });
}

/** `rollcall failures list` */
export async function runList(options: Shown, cli: Cli): Promise<number> {
  const config = await loadConfig(cli);
  const { causes, destinations } = await withDatabase(config, (sql) => readFailures(sql, options.destination));
  const reveal = options.reveal === true;
  if (options.json === true) {
    const dropped = Object.fromEntries(destinations.map((d) => [d.name, d.dropped]));
    cli.json({ causes: causes.map((cause) => causeDocument(cause, reveal)), dropped });
  } else cli.say(renderCauses(causes, destinations, page(cli, reveal)));
  return 0;
}

/** `rollcall failures show` */
export async function runShow(
  options: Shown & { readonly cause: Cause; readonly limit: number },
  cli: Cli,
): Promise<number> {
  const config = await loadConfig(cli);
  return await withDatabase(config, async (sql) => {
    const { causes: all } = await readFailures(sql, options.destination);
    const causes = causesOf(all, options.cause);
    const names = [...new Set(causes.map((cause) => cause.destination))];
    const [destination = ''] = names;
    if (names.length > 1) {
      throw new RollcallError('RC_FAILURE_DESTINATION', `It failed at several destinations: ${names.join(', ')}.`, {
        hint: 'Name one with --destination.',
      });
    }
    const ones = await failuresOf(sql, { ...options.cause, destination }, options.limit);
    const reveal = options.reveal === true;
    if (options.json === true) {
      cli.json({
        causes: causes.map((cause) => causeDocument(cause, reveal)),
        failures: ones.map((one) => ({
          ...oneDocument(one, one.code, reveal),
          stage: one.stage,
          code: one.code,
          field: one.field,
        })),
      });
    } else cli.say(renderFailed(causes, ones, page(cli, reveal)));
    return 0;
  });
}

function page(cli: Cli, reveal: boolean): Page {
  return { width: widthOf(cli.io.stdout), paint: cli.paint, reveal };
}

function causeDocument(cause: FailureCause, reveal: boolean): object {
  const { destination, stage, code, field, count, oldestAt, newestAt, example } = cause;
  return {
    destination,
    stage,
    code,
    field,
    count,
    oldest_at: new Date(oldestAt).toISOString(),
    newest_at: new Date(newestAt).toISOString(),
    advice: adviceFor(cause),
    example: oneDocument(example, code, reveal),
  };
}

function oneDocument(one: FailedOne, code: string, reveal: boolean): object {
  const { contact, event, eventName, key, address, at } = one;
  return {
    contact,
    event,
    event_name: eventName,
    at: new Date(at).toISOString(),
    words: wordsOf(one, code, reveal),
    ...(reveal ? { key, address } : {}),
  };
}
