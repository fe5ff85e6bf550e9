import type { Evidence } from './evidence.ts';

/** So long before a request its sender may have read who said no. */
const READ_MS = 1_000;

/** Nothing ever says that somebody is subscribed, and nobody who said no is. */
export function judgeConsent({ exchanges, changes, optOuts, sentAt }: Evidence): readonly string[] {
  const says = exchanges
    .filter(({ body }) => /"unsubscribed":\s*false|"(?:email|sms)Blacklisted":\s*false|"subscribed":\s*true/.test(body))
    .map(({ n, destination }) => `${destination}: exchange ${n} subscribes`);
  const status = new Map<string, string>();
  /** Where somebody who had left was unsubscribed, and when the request for it left. */
  const told = new Map<string, { readonly address: string; readonly at: number }>();
  const lifted = changes.flatMap(({ destination, kind, contact, exchange: n }) => {
    const key = `${destination} ${contact.id}`;
    const before = status.get(key);
    status.set(key, kind === 'deleted' ? 'deleted' : contact.status);
    const exchange = n === undefined ? undefined : exchanges[n];
    if (contact.status === 'unsubscribed' && exchange !== undefined)
      told.set(key, { address: contact.address, at: sentAt(exchange) });
    if (before !== 'unsubscribed' || kind === 'deleted' || contact.status !== 'subscribed') return [];
    // A receiver of webhooks is told that somebody left, and that there is a basis again when they come back.
    if (destination === 'webhook' && !optOuts.some((each) => each.contact === contact.id)) return [];
    const begunAt = exchange === undefined ? Infinity : sentAt(exchange) - READ_MS;
    const tooLate = optOuts.some(
      (each) => each.destination === destination && each.contact === contact.id && each.at >= begunAt,
    );
    const left = told.get(key);
    // It was sent before, and moves the contact: who says no does so for an address.
    const moves = exchange !== undefined && left !== undefined && left.address !== contact.address;
    if (moves && sentAt(exchange) < left.at) return [];
    return !tooLate ? [`${destination}: ${contact.address} said no, and is subscribed by ${kind}`] : [];
  });
  return [...says, ...lifted];
}
