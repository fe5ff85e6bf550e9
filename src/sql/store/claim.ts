import type { RemoteContact } from '../../core/destination.ts';
import { isJsonObject, parseJson } from '../../core/json.ts';
import type { ConsentState } from '../../core/mapping.ts';
import type { ListChanges } from '../../core/segments.ts';
import type { Claimed, ClaimedEvent, ClaimScope, Lane, Lease } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';
import { noteSetBack, type Position } from './position.ts';

/** A contact as a claim has it. */
export interface ClaimRow {
  readonly [column: string]: unknown;
  readonly contact_id: string;
  readonly version: string;
  readonly action: Claimed['action'] | 'none';
  readonly address: string | null;
  readonly remote_address: string | null;
  readonly remote_id: string | null;
  /** Null: it did not fit into the bytes that were asked for. */
  readonly payload: string | null;
  readonly consent: ConsentState;
  readonly carry_from: string | null;
  readonly takeover: boolean;
  readonly leftovers: readonly string[] | null;
  readonly imported: boolean;
  readonly lane: Lane;
  readonly delivered: boolean;
  readonly tries: number;
  readonly due_at: string;
  /** Absent where the installed function is older than this program. */
  readonly send_state?: boolean;
  /** JSON text: [{id, name, properties, at, tries, list}]; absent as above. */
  readonly events?: string | null;
  /** Absent as above. */
  readonly again?: boolean;
  readonly astray?: boolean;
  readonly erases?: boolean;
  /** JSON text, as `ListChanges`; null where the destination keeps no lists, absent as above. */
  readonly lists?: string | null;
  readonly install: string;
  /** Milliseconds, as text. */
  readonly epoch: string;
}

/** Leases due units of work of one destination, live lane first. */
export async function claim(
  sql: Queryable,
  identity: Identity,
  destination: number,
  lease: Lease,
  { limits, bytes, after, least, consents, liveWaitMs }: ClaimScope,
  position?: Pick<Position, 'lsn' | 'boundAt'>,
): Promise<readonly Claimed[]> {
  const rows = await noteSetBack(sql, () =>
    sql.query<ClaimRow>(
      `select c.*, (select i.id::text from rollcall.install i) as install,
              (select floor(extract(epoch from i.bound_at) * 1000)::bigint::text from rollcall.install i) as epoch
         from rollcall.claim($1, $2, $3::int[], $4::int * interval '1 millisecond', $5::int * interval '1 millisecond', $6::timestamptz[],
           $7::int[], $8::text[], $9::int * interval '1 millisecond', $10, $11, $12, $13, $14, $15, $16::interval[]) c`,
      [
        destination,
        lease.token,
        limits,
        lease.leaseMs,
        lease.graceMs,
        after.map((from) => (typeof from === 'string' ? from : '-infinity')),
        least,
        consents,
        liveWaitMs,
        identity.configHash,
        identity.projectRef,
        identity.environment,
        position?.lsn ?? null,
        position?.boundAt ?? null,
        Math.round(bytes),
        // No nulls: a database may have been told that arrays have none.
        after.map((from) => `${typeof from === 'string' ? 0 : Math.ceil(from.backMs)} milliseconds`),
      ],
    ),
  );
  const left = rows.filter(({ payload }) => payload === null).map(({ contact_id: id }) => id);
  if (left.length > 0) await release(sql, destination, lease.token, left);
  return rows.flatMap((row) => (row.payload === null ? [] : [toClaimed(row, row.payload, destination)]));
}

/** Gives back contacts that are leased and were not sent. */
export async function release(
  sql: Queryable,
  destination: number,
  token: string,
  contactIds: readonly string[],
): Promise<void> {
  await sql.query('select rollcall.release($1, $2, $3::bigint[])', [destination, token, contactIds]);
}

/** @param text the payload, as it is in the row */
export function toClaimed(row: ClaimRow, text: string, destination: number): Claimed {
  const payload = parseJson(text);
  const events = row.events ?? '[]';
  const sendState = row.send_state ?? true;
  return {
    contactId: row.contact_id,
    version: row.version,
    // A row whose work became void while it waited: nothing is encoded for it, and the settle removes it.
    action: row.action === 'none' ? 'delete' : row.action,
    sendState,
    events: eventsOf(events),
    size: text.length + events.length,
    address: row.address,
    remote: row.action === 'none' && sendState ? null : remoteOf(row, sendState),
    attributes: isJsonObject(payload) ? payload : {},
    takeover: row.takeover,
    consent: row.consent,
    again: row.again,
    astray: row.astray === true,
    erases: row.erases === true,
    lists: listsOf(row.lists),
    origin: { id: `${row.install}-${destination}`, epoch: Number(row.epoch) },
    carryFrom: row.carry_from,
    tries: row.tries,
    lane: row.lane,
    dueAt: row.due_at,
  };
}

/** What is to be said of lists, from its JSON text. */
export function listsOf(text: string | null | undefined): ListChanges | undefined {
  return text === null || text === undefined ? undefined : (JSON.parse(text) as ListChanges);
}

/** Numbers stay exact: the text never goes through the driver's own JSON. */
function eventsOf(text: string): readonly ClaimedEvent[] {
  const events = parseJson(text) as unknown as readonly ClaimedEvent[];
  return events.map(({ id, name, properties, at, tries, list }) => ({ id, name, properties, at, tries, list }));
}

function remoteOf(row: ClaimRow, sendState: boolean): Claimed['remote'] {
  const remote = {
    address: row.remote_address,
    id: row.remote_id,
    leftovers: row.leftovers ?? [],
    imported: row.imported,
    // Nothing of ours has arrived, and yet its id is known: it was there before us.
    ...(!row.delivered && row.remote_id !== null ? { met: true } : {}),
  };
  // Events go to the contact as it is known there, whatever its state needs.
  if (!sendState || row.action !== 'upsert') return isKnown(remote) ? remote : null;
  // An attempt of unknown outcome at this very address tells nothing that matters: it is still a first delivery.
  const untold = !row.delivered && row.remote_address === row.address;
  return isKnown({ ...remote, address: untold ? null : remote.address }) || row.carry_from !== null ? remote : null;
}

function isKnown({ address, id, leftovers = [] }: RemoteContact): boolean {
  return address !== null || id !== null || leftovers.length > 0;
}
