import type { Evidence } from './evidence.ts';

/** So long before a request its sender may have read who said no. */
const READ_MS = 1_000;

/** Nothing ever says that somebody is subscribed, and nobody who said no is. */
export function judgeConsent({ exchanges, changes, optOuts, sentAt }: Evidence): readonly string[] {
  const says = exchanges
    .filter(({ body }) => /"unsubscribed":\s*false|"(?:email|sms)Blacklisted":\s*false|"subscribed":\s*true/.test(body))
    .map(({ n, destination }) => `${destination}: exchange ${n} subscribes`);
  const status = new Map<string, string>();
  /** Contact to the address at which it was unsubscribed because its owner left: that is nobody's no. */
  const left = new Map<string, string>();
  const lifted = changes.flatMap(({ destination, kind, contact, exchange: n }) => {
    const key = `${destination} ${contact.id}`;
    const before = status.get(key);
    status.set(key, kind === 'deleted' ? 'deleted' : contact.status);
    const exchange = n === undefined ? undefined : exchanges[n];
    if (contact.status === 'unsubscribed' && exchange !== undefined && saysNo(exchange.body)) {
      // With values it is of somebody who is there: who came back has said no.
      if (exchange.body.includes('"N"')) left.delete(key);
      else left.set(key, contact.address);
    }
    if (before !== 'unsubscribed' || kind === 'deleted' || contact.status !== 'subscribed') return [];
    // A receiver of webhooks is told that somebody left, and that there is a basis again when they come back.
    if (destination === 'webhook' && !optOuts.some((each) => each.contact === contact.id)) return [];
    const begunAt = exchange === undefined ? Infinity : sentAt(exchange) - READ_MS;
    const tooLate = optOuts.some(
      (each) => each.destination === destination && each.contact === contact.id && each.at >= begunAt,
    );
    // Whoever is at that address by now moves to another one.
    const moves = (left.get(key) ?? contact.address) !== contact.address;
    return !tooLate && !moves ? [`${destination}: ${contact.address} said no, and is subscribed by ${kind}`] : [];
  });
  return [...says, ...lifted];
}

/** Whether a request says of somebody that they are not mailed any more. */
export function saysNo(body: string): boolean {
  return /"(?:unsubscribed|emailBlacklisted)":\s*true/.test(body);
}
