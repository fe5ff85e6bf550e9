import type { EventSettlement, Lease, Settlement } from '../../engine/ports.ts';
import type { Queryable } from '../port.ts';
import { storable } from './storable.ts';

/** Records what became of a batch, frees its leases, and makes due again what is not in step: how many, it returns. */
export async function settle(
  sql: Queryable,
  destination: number,
  lease: Lease,
  settlements: readonly Settlement[],
): Promise<number> {
  const [row] = await sql.query<{ again: number }>(
    `select rollcall.settle($1, $2, $3::int * interval '1 millisecond', $4) as again`,
    [
      destination,
      lease.token,
      lease.graceMs,
      JSON.stringify(settlements.map((settlement) => ({ ...toResult(settlement), lease_ms: lease.leaseMs }))),
    ],
  );
  return row?.again ?? 0;
}

function toResult({
  delivery,
  token,
  outcome,
  events = [],
  waitMs,
  windowMs,
  latencyMs,
  partial,
  foundAt,
}: Settlement): object {
  const failed = outcome?.kind === 'delivered' ? undefined : outcome;
  const { sendState } = delivery;
  return {
    contact: delivery.contactId,
    token,
    version: delivery.version,
    action: sendState ? delivery.action : 'events',
    outcome: outcome?.kind,
    // What events say of an address: it was asked for, no more.
    address: sendState ? delivery.address : undefined,
    touched: delivery.remote?.address,
    found_at: foundAt,
    remote_id: outcome?.kind === 'delivered' ? outcome.remoteId : partial?.remoteId,
    partial: partial !== undefined,
    code: failed?.code,
    field: failed?.field,
    message: failed === undefined ? undefined : storable(failed.message),
    wait_ms: Math.round(waitMs),
    window_ms: windowMs,
    latency_ms: Math.round(latencyMs),
    forget_remote: failed?.forgetRemote,
    events: events.map(toEvent),
  };
}

function toEvent({ id, outcome, latencyMs }: EventSettlement): object {
  const failed = outcome.kind === 'delivered' ? undefined : outcome;
  return {
    id,
    outcome: outcome.kind,
    code: failed?.code,
    message: failed === undefined ? undefined : storable(failed.message),
    latency_ms: Math.round(latencyMs),
  };
}
