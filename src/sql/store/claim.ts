import { isJsonObject, parseJson } from '../../core/json.ts';
import type { ConsentState } from '../../core/mapping.ts';
import type { Claimed, Lease } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import type { Identity } from './identity.ts';

interface ClaimRow {
  readonly [column: string]: unknown;
  readonly contact_id: string;
  readonly version: string;
  readonly action: 'upsert' | 'delete' | 'none';
  readonly address: string | null;
  readonly remote_address: string | null;
  readonly remote_id: string | null;
  readonly payload: string;
  readonly consent: ConsentState;
  readonly carry_from: string | null;
  readonly takeover: boolean;
  readonly leftovers: readonly string[] | null;
  readonly delivered: boolean;
  readonly tries: number;
  readonly due_at: string;
}

/** Leases due deliveries of one destination, live lane first. */
export async function claim(
  sql: Queryable,
  identity: Identity,
  destination: number,
  lease: Lease,
  limit: number,
  after: string,
): Promise<readonly Claimed[]> {
  const rows = await sql.query<ClaimRow>(
    `select * from rollcall.claim($1, $2, $3, $4::int * interval '1 millisecond', $5::int * interval '1 millisecond', $6, $7, $8, $9)`,
    [
      destination,
      lease.token,
      limit,
      lease.leaseMs,
      lease.graceMs,
      after,
      identity.configHash,
      identity.projectRef,
      identity.environment,
    ],
  );
  return rows.map(toClaimed);
}

function toClaimed(row: ClaimRow): Claimed {
  const payload = parseJson(row.payload);
  return {
    contactId: row.contact_id,
    version: row.version,
    // A row whose work became void while it waited: nothing is encoded for it, and the settle removes it.
    action: row.action === 'upsert' ? 'upsert' : 'delete',
    sendState: true,
    events: [],
    address: row.address,
    remote: remoteOf(row),
    attributes: isJsonObject(payload) ? payload : {},
    takeover: row.takeover,
    consent: row.consent,
    carryFrom: row.carry_from,
    tries: row.tries,
    dueAt: row.due_at,
  };
}

function remoteOf(row: ClaimRow): Claimed['remote'] {
  // An attempt of unknown outcome at this very address tells nothing that matters: it is still a first delivery.
  const nowhereElse = row.remote_address === null || (!row.delivered && row.remote_address === row.address);
  if (row.remote_id === null && nowhereElse && row.leftovers === null && row.carry_from === null) return null;
  return { address: row.remote_address, id: row.remote_id, leftovers: row.leftovers ?? [] };
}
