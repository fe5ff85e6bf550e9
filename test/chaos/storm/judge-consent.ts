import type { Evidence } from './evidence.ts';

/** Nothing ever says that somebody is subscribed, and nobody who said no is. */
export function judgeConsent({ exchanges, changes }: Evidence): readonly string[] {
  const says = exchanges
    .filter(({ body }) => /"unsubscribed":\s*false|"(?:email|sms)Blacklisted":\s*false|"subscribed":\s*true/.test(body))
    .map(({ n, destination }) => `${destination}: exchange ${n} subscribes`);
  const status = new Map<string, string>();
  const lifted = changes.flatMap(({ destination, kind, contact }) => {
    const key = `${destination} ${contact.id}`;
    const before = status.get(key);
    status.set(key, kind === 'deleted' ? 'deleted' : contact.status);
    return before === 'unsubscribed' && kind !== 'deleted' && contact.status === 'subscribed'
      ? [`${destination}: ${contact.address} said no, and is subscribed by ${kind}`]
      : [];
  });
  return [...says, ...lifted];
}
