import type { Delivery } from './destination.ts';

/** Whether there is a text at all. */
export function isPresent(text: string | null | undefined): text is string {
  return text !== null && text !== undefined && text !== '';
}

/** Whether two addresses may be one contact: a vendor may fold their case. */
export function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * Whether a request must subscribe the contact: of somebody who said yes after a no, once (SPEC.md, "Invariants", 4). Anything else
 * that says *subscribed* would bring back a person who left, so consent is otherwise shown by silence.
 */
export function mustOptIn({ action, consent }: Delivery): boolean {
  return action === 'upsert' && consent === 'opted_in';
}

/** Whether a request that gives a contact this address must carry the opt-out (SPEC.md, "Invariants", 4). */
export function mustOptOut(delivery: Delivery, address: string): boolean {
  const { remote } = delivery;
  if (delivery.consent === 'opted_out') return true;
  if (mustOptIn(delivery)) return false;
  const mayCreate = !isPresent(remote?.id);
  const movesAddress = !isPresent(remote?.address) || !sameAddress(remote.address, address);
  if (!mayCreate && !movesAddress) return false;
  if (remote?.subscription === 'unsubscribed') return true;
  // Somebody who opted in there and only moves stays as they are: that says nothing.
  return delivery.consent === 'none' && (mayCreate || remote?.subscription !== 'subscribed');
}
