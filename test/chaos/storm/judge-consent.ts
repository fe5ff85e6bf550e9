import type { Evidence } from './evidence.ts';

/** So long before a request its sender may have read who said no. */
const READ_MS = 1_000;

/** Nothing ever says that somebody is subscribed, and nobody who said no is. */
export function judgeConsent({ exchanges, changes, optOuts, sentAt }: Evidence): readonly string[] {
  const says = exchanges
    .filter(({ body }) => /"unsubscribed":\s*false|"(?:email|sms)Blacklisted":\s*false|"subscribed":\s*true/.test(body))
    .map(({ n, destination }) => `${destination}: exchange ${n} subscribes`);
  const status = new Map<string, string>();
  const lifted = changes.flatMap(({ destination, kind, contact, exchange: n }) => {
    const key = `${destination} ${contact.id}`;
    const before = status.get(key);
    status.set(key, kind === 'deleted' ? 'deleted' : contact.status);
    if (before !== 'unsubscribed' || kind === 'deleted' || contact.status !== 'subscribed') return [];
    // A receiver of webhooks is told that somebody left, and that there is a basis again when they come back.
    if (destination === 'webhook' && !optOuts.some((each) => each.contact === contact.id)) return [];
    const exchange = n === undefined ? undefined : exchanges[n];
    const begunAt = exchange === undefined ? Infinity : sentAt(exchange) - READ_MS;
    const tooLate = optOuts.some(
      (each) => each.destination === destination && each.contact === contact.id && each.at >= begunAt,
    );
    return !tooLate ? [`${destination}: ${contact.address} said no, and is subscribed by ${kind}`] : [];
  });
  return [...says, ...lifted];
}
