import type { Queryable } from '../port.ts';

/** What failed for one cause: contacts that could not be mapped or delivered, or events. */
export interface FailureCause {
  readonly destination: string;
  /** The id of the destination's folder. */
  readonly type: string;
  readonly stage: 'map' | 'deliver' | 'event';
  readonly code: string;
  readonly field: string | null;
  readonly count: number;
  readonly oldestAt: string;
  readonly newestAt: string;
  /** The newest of them. */
  readonly example: FailedOne;
}

/** One contact or event that failed, with what is known of the person. */
export interface FailedOne {
  /** Our own id; null for an event that leads to nobody. */
  readonly contact: string | null;
  readonly event: string | null;
  readonly eventName: string | null;
  /** The id of `auth.users`, or `email:<address>`. */
  readonly key: string | null;
  readonly address: string | null;
  /** The destination's or the database's words; they may repeat what the person has. */
  readonly message: string;
  /** What was to be sent, for finding it in the words. */
  readonly payload: unknown;
  readonly at: string;
}

/** Which failures are meant. */
export interface FailureScope {
  readonly destination: string;
  readonly code?: string | undefined;
  readonly field?: string | undefined;
  /** Our own id. */
  readonly contact?: string | undefined;
}

/** What was made due again. */
export interface Retried {
  readonly contacts: number;
  /** Contacts whose rows are read again, as they could not be mapped. */
  readonly readAgain: number;
  readonly events: number;
  /** Events that cannot be sent, as they could not be mapped. */
  readonly unmapped: number;
}

/** A failure as the database gives it; times as text. */
interface FailedRow {
  readonly [column: string]: unknown;
  readonly stage: FailureCause['stage'];
  readonly code: string;
  readonly field: string | null;
  readonly contact_id: string | null;
  readonly event_id: string | null;
  readonly event_name: string | null;
  readonly key: string | null;
  readonly address: string | null;
  readonly message: string;
  readonly payload: unknown;
}

interface CauseRow extends FailedRow {
  readonly destination: string;
  readonly type: string;
  readonly count: string;
  readonly oldest_at: string;
  readonly newest_at: string;
}

function toOne(row: FailedRow, at: string): FailedOne {
  const { contact_id: contact, event_id: event, event_name: eventName, key, address, message, payload } = row;
  return { contact, event, eventName, key, address, message, payload, at };
}

/** Destinations that are sent to, in order, with how many failures a person has dropped at each. */
export async function failureDestinations(
  sql: Queryable,
): Promise<readonly { readonly name: string; readonly type: string; readonly dropped: number }[]> {
  const rows = await sql.query<{ name: string; type: string; dropped: string }>(
    `select d.name, d.type, (select count(*) from rollcall.dead_letters l where l.destination_id = d.id and l.dropped_at is not null) as dropped
       from rollcall.destinations d where d.enabled order by d.id`,
  );
  return rows.map(({ name, type, dropped }) => ({ name, type, dropped: Number(dropped) }));
}

/** All causes, by destination, the most frequent first. */
export async function failureCauses(sql: Queryable): Promise<readonly FailureCause[]> {
  const rows = await sql.query<CauseRow>('select * from rollcall.failure_causes()');
  return rows.map((row) => ({
    destination: row.destination,
    type: row.type,
    stage: row.stage,
    code: row.code,
    field: row.field,
    count: Number(row.count),
    oldestAt: row.oldest_at,
    newestAt: row.newest_at,
    example: toOne(row, row.newest_at),
  }));
}

/** The newest failures of a code. @param limit most of them */
export async function failuresOf(
  sql: Queryable,
  { destination, code, field }: FailureScope,
  limit: number,
): Promise<readonly (FailedOne & Pick<FailureCause, 'stage' | 'code' | 'field'>)[]> {
  const rows = await sql.query<FailedRow & { readonly at: string }>(
    `select f.* from rollcall.destinations d cross join lateral rollcall.failures_of(d.id, $2, $3, $4) f where d.name = $1`,
    [destination, code ?? null, field ?? null, limit],
  );
  return rows.map((row) => ({ ...toOne(row, row.at), stage: row.stage, code: row.code, field: row.field }));
}

/** Makes due again what is meant; see `rollcall.retry_failures`. */
export async function retryFailures(sql: Queryable, scope: FailureScope): Promise<Retried> {
  const counted = await call(sql, 'retry_failures', scope);
  const { contacts = 0, read_again: readAgain = 0, events = 0, unmapped = 0 } = counted;
  return { contacts, readAgain, events, unmapped };
}

/** Forgets what is meant: contacts until they change, events for ever. */
export async function dropFailures(
  sql: Queryable,
  scope: FailureScope,
): Promise<{ readonly contacts: number; readonly events: number }> {
  const { contacts = 0, events = 0 } = await call(sql, 'drop_failures', scope);
  return { contacts, events };
}

/** What a function of the database counted. */
async function call(
  sql: Queryable,
  verb: 'retry_failures' | 'drop_failures',
  { destination, code, field, contact }: FailureScope,
): Promise<Readonly<Partial<Record<string, number>>>> {
  const [row] = await sql.query<Record<string, number>>(
    `select f.* from rollcall.destinations d cross join lateral rollcall.${verb}(d.id, $2, $3, $4) f where d.name = $1`,
    [destination, code ?? null, field ?? null, contact ?? null],
  );
  return row ?? {};
}

/** Everybody who failed at these destinations is tried again: something was mended there. */
export async function tryAgain(sql: Queryable, destinations: readonly string[]): Promise<void> {
  await sql.query('select rollcall.try_again(d.id) from rollcall.destinations d where d.name = any($1::text[])', [
    destinations,
  ]);
}

/** A pause, as a person wants to know of it. */
export interface Pause {
  readonly destination: string;
  readonly code: string;
}

/** Ends pauses now; it is still tried with care at first. @param name of one destination; all when absent */
export async function endPauses(sql: Queryable, name: string | undefined): Promise<readonly Pause[]> {
  const rows = await sql.query<{ name: string; pause_code: string }>(
    `select d.name, d.pause_code from rollcall.destinations d
      where d.enabled and d.pause_code is not null and ($1::text is null or d.name = $1) and rollcall.end_pauses(true, d.id) >= 0 order by d.id`,
    [name ?? null],
  );
  return rows.map(({ name: destination, pause_code: code }) => ({ destination, code }));
}
