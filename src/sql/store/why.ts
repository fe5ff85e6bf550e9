import type { Config } from '../../config/types.ts';
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts';
import { aggregateRows, contactRows, type PersonRows, userRows } from '../compile/person-rows.ts';
import { EMAIL_KEY } from '../compile/link.ts';
import { inspectSources } from '../inspect/sources.ts';
import { type Queryable, type Script, type Sql, sqlState } from '../port.ts';
import type { Sources } from '../source.ts';

/** What `rollcall.why()` returns. Times are as the database writes them in JSON. */
export interface Story {
  readonly who: string;
  readonly known: boolean;
  readonly contacts: readonly StoryContact[];
  /** Something is in the log, of anybody. */
  readonly log_waits: boolean;
  /** Who delivers, the latest first. */
  readonly homes: readonly { readonly home: string; readonly seen_s: number; readonly at_work: boolean }[];
  readonly consent: readonly {
    readonly kind: string;
    readonly origin: string;
    readonly at: string | null;
    readonly received_at: string;
    readonly topic: string | null;
  }[];
}

export interface StoryContact {
  /** The id of `auth.users`, or `email:<address>`. */
  readonly key: string;
  /** Our own number; null while nobody has looked at them. */
  readonly contact: number | null;
  /** Null for somebody who is no user, or no longer. */
  readonly user: string | null;
  /** A change of theirs is in the log, and was not looked at yet. */
  readonly change_waits: boolean;
  /** Why it can't be told what the rows say now. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly destinations: readonly StoryDestination[];
}

export interface StoryDestination {
  readonly destination: string;
  readonly type: string;
  /** Null while nothing was decided about this destination. */
  readonly action: 'upsert' | 'delete' | 'unsubscribe' | 'none' | null;
  readonly reason: string | null;
  readonly address: string | null;
  readonly attributes: JsonObject | null;
  readonly consent: string | null;
  readonly version: number | null;
  readonly delivered_version: number | null;
  readonly in_step: boolean;
  /** What the rows say at this moment. */
  readonly now: {
    readonly verdict: string;
    readonly address: string | null;
    readonly consent: string;
    readonly attributes: JsonObject;
  } | null;
  /** What was delivered, while something else is due; null where that is not known. */
  readonly was: { readonly version: number; readonly consent: string; readonly attributes: JsonObject } | null;
  readonly there: { readonly address: string | null; readonly id: string | null } | null;
  readonly waits_for_address: string | null;
  readonly due: {
    readonly at: string;
    readonly since: string;
    readonly tries: number;
    readonly under_way: boolean;
    /** 0 live, 1 backfill; held by a brake: 2 deletions, 3 changes. */
    readonly lane: number;
    readonly unknown_until: string | null;
  } | null;
  readonly failure: {
    readonly stage: 'map' | 'deliver';
    readonly code: string;
    readonly field: string | null;
    readonly message: string;
    readonly at: string;
    readonly dropped_at: string | null;
  } | null;
  readonly paused: string | null;
  readonly pause_message: string | null;
  readonly paused_until: string | null;
  /** The newest first. */
  readonly attempts: readonly {
    readonly at: string;
    readonly action: string;
    readonly version: number;
    readonly outcome: string;
    readonly code: string | null;
    readonly message: string | null;
  }[];
  /** The newest first. */
  readonly events: readonly {
    readonly at: string;
    readonly name: string;
    readonly state: string;
    readonly reason: string | null;
    readonly message: string | null;
    readonly properties: JsonObject;
  }[];
}

/** Rows of one table that lead to the person. */
export interface StoryRows {
  readonly source: string;
  readonly where: string | undefined;
  /** The first is the one that counts, where the condition holds. `holds` is null where there is none. */
  readonly rows: readonly { readonly row: JsonObject; readonly holds: boolean | null }[];
  /** There are more of them. */
  readonly more: boolean;
  /** Why they can't be read. */
  readonly problem: string | undefined;
}

/** Most rows of a table that are told of. */
const MOST_ROWS = 5;

/** The story as the database knows it, its numbers exact. @throws the driver's error */
export async function readStory(sql: Queryable, who: string): Promise<Story> {
  const [row] = await sql.query<{ story: string }>('select rollcall.why($1)::text as story', [who]);
  return parseJson(row?.story ?? '{}') as unknown as Story;
}

/**
 * The rows of `auth.users` and of each table that the config reads which lead to a person; tables without one are left out.
 * @param who an id or an address, as it was asked for
 * @throws RollcallError what `inspectSources` throws; the driver's error
 */
export async function readPersonRows(
  sql: Sql,
  config: Config,
  who: string,
  contacts: readonly StoryContact[],
): Promise<readonly StoryRows[]> {
  return sql.transaction(async (tx) => {
    const sources = await inspectSources(tx, config);
    await tx.script(`set local search_path = ''; set local timezone = 'UTC'; set local statement_timeout = '20s'`);
    const found: StoryRows[] = [];
    for (const query of queriesOf(config, sources)) found.push(await read(tx, query, placesOf(who, contacts)));
    return found.filter(({ rows, problem }) => rows.length > 0 || problem !== undefined);
  });
}

/** Each table once: aggregates of one table and condition differ in their columns alone, and the first tells enough. */
function queriesOf(config: Config, sources: Sources): readonly PersonRows[] {
  const all = [
    userRows(config.userMapping, config.consent, sources.users),
    ...sources.contacts.map((source) => contactRows(source, config.consent)),
    ...sources.aggregates.map(aggregateRows),
  ];
  return all.filter(
    (one, n) => all.findIndex((other) => other.source === one.source && other.where === one.where) === n,
  );
}

interface Places {
  readonly ids: readonly string[];
  readonly addresses: readonly string[];
}

/** Where rows of a person may be found: by the ids of users, and by all addresses they have or are known by. */
function placesOf(who: string, contacts: readonly StoryContact[]): Places {
  const users = contacts.filter(({ key }) => !key.startsWith(EMAIL_KEY)).map(({ key }) => key);
  const known = contacts.flatMap(({ key, destinations }) => [
    ...(key.startsWith(EMAIL_KEY) ? [key.slice(EMAIL_KEY.length)] : []),
    ...destinations.flatMap(({ address, now }) => [address, now?.address ?? null]),
  ]);
  const asked = who.includes('@') ? [who.trim().normalize('NFC').toLowerCase()] : [];
  return { ids: users, addresses: [...new Set([...known.filter((a) => a !== null), ...asked])] };
}

async function read(tx: Queryable & Script, query: PersonRows, { ids, addresses }: Places): Promise<StoryRows> {
  const { source, where } = query;
  await tx.script('savepoint rollcall_rows');
  try {
    const rows = await tx.query<{ row: string; holds: boolean | null }>(query.sql, [
      ids,
      [...ids, ...ids.map((id) => id.toUpperCase())],
      addresses,
      MOST_ROWS + 1,
    ]);
    const told = rows.slice(0, MOST_ROWS).map(({ row, holds }) => ({ row: objectOf(parseJson(row)), holds }));
    return { source, where, rows: told, more: rows.length > MOST_ROWS, problem: undefined };
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined) throw error;
    await tx.script('rollback to savepoint rollcall_rows');
    return { source, where, rows: [], more: false, problem: `${(error as Error).message} (${state})` };
  }
}

function objectOf(value: Json): JsonObject {
  return isJsonObject(value) ? value : {};
}
