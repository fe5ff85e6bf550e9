import type { InboundFact } from '../core/inbound.ts';
import type { Claimed } from './ports.ts';
import type { Done, Requests, Sender } from './requests.ts';

/**
 * Before somebody who is being erased is deleted: whether they have left there, which no webhook may have told, and which goes with the
 * contact. What is found is written down before anything is deleted.
 * @returns undefined when the deletion may follow; `not_begun` when nothing was sent and nothing may be
 */
export async function readBeforeErasing(
  delivery: Claimed,
  requests: Requests,
  { destination, config, onOptOut }: Sender,
): Promise<Done | 'not_begun' | undefined> {
  const { erases, consent, remote } = delivery;
  // Of somebody who never said yes the contact was made unsubscribed: that tells nothing.
  if (erases !== true || consent !== 'basis' || onOptOut === undefined || remote?.address == null) return undefined;
  const exchange = destination.lookup?.(remote, config);
  if (exchange === undefined) return undefined;
  const found = await requests.read(exchange);
  if (found === undefined) return 'not_begun';
  if ('outcome' in found) return found;
  if (found.value?.subscription !== 'unsubscribed') return undefined;
  try {
    await onOptOut(remote.address);
    return undefined;
  } catch {
    const message = 'An opt-out that was found there could not be written down.';
    return { outcome: { kind: 'retry', code: 'opt_out_not_kept', message }, latencyMs: found.latencyMs };
  }
}

/** Found unsubscribed just before the contact is deleted. */
export function leftThere(address: string): InboundFact {
  return { id: `found before it was erased ${address}`, kind: 'opt_out', address, at: undefined, event: 'unsubscribe' };
}
