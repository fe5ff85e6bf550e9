import type { Evidence } from './evidence.ts';
import type { AuditedEvent } from '../interleaving/history.ts';
import { judgeEvents as differences } from '../interleaving/judge-events.ts';
import { TIMES } from './crew.ts';
import { senderOf, wasStopped } from './evidence.ts';
import { type DestinationId, DESTINATIONS } from './plan.ts';
import type { Exchange } from './exchange.ts';

/** Destinations whose API takes a key against duplicates. */
const KEYED: ReadonlySet<DestinationId> = new Set<DestinationId>(['sendry', 'webhook']);
/** How long after its answer an outcome may still wait to be written down. */
const SETTLE_MS = 3_000;

/** Each event arrived, and once where there is a key; it was sent again only where nobody knows what became of it. */
export function judgeEvents(evidence: Evidence): readonly string[] {
  return DESTINATIONS.flatMap((destination) => [
    ...arrivals(evidence, destination).map((problem) => `${destination}: ${problem}`),
    ...repetitions(evidence, destination),
  ]);
}

function arrivals({ history, events, fullTurns }: Evidence, destination: DestinationId): readonly string[] {
  // Brevo takes an event of nobody, as when its request was held until the contact was gone; then nobody has it.
  const had = events[destination].filter(({ address }) => destination !== 'brevo' || address !== '');
  const arrived = had.map(({ address, name, properties }, at) => ({
    contactId: address,
    email: address,
    name,
    params: properties,
    at,
  }));
  // An event whose capture failed is lost, and counted: SPEC.md, "Not promised yet".
  const certain = history.events.map((event) => (fullTurns.has(event.turn) ? { ...event, certain: false } : event));
  return differences({ ...history, events: certain }, arrived, !KEYED.has(destination), true);
}

/** Requests with an event after one that told the sender that it was taken, and that the sender lived to write down. */
function repetitions(evidence: Evidence, destination: DestinationId): readonly string[] {
  const requests = new Map<string, Exchange[]>();
  for (const exchange of evidence.exchanges) {
    if (exchange.destination !== destination || !isOfEvents(exchange)) continue;
    for (const [, rev] of exchange.body.matchAll(/"rev":\s*"?(\d+)/g)) {
      const name = /"(?:name|event_name)":"(\w+)"/.exec(exchange.body)?.[1];
      // What happened twice with the same numbers has an id only where the destination takes one.
      const id = /"(?:event_)?id":"([0-9a-f-]{36})"/.exec(exchange.body)?.[1];
      if (id === undefined && evidence.history.events.filter((each) => isOf(each, name, rev)).length > 1) continue;
      const key = `${name} ${rev} ${id ?? ''}`.trim();
      requests.set(key, [...(requests.get(key) ?? []), exchange]);
    }
  }
  return [...requests].flatMap(([event, sent]) => {
    const known = sent.find((each) => isKnown(evidence, each));
    if (known === undefined) return [];
    const again = sent.find((each) => each.arrivedAt > known.answeredAt! && !wasStopped(evidence, each));
    return again === undefined
      ? []
      : [`${destination}: the event ${event} was taken by exchange ${known.n} and sent again by ${again.n}`];
  });
}

/** Whether it tells of events, and not of a contact. */
export function isOfEvents({ destination, path, body }: Exchange): boolean {
  return destination === 'webhook' ? body.includes('"type":"event.') : /\/events(?:\/batch)?$/.test(path);
}

function isOf({ name, properties }: AuditedEvent, wanted: string | undefined, rev: string | undefined): boolean {
  return name === wanted && new RegExp(`"rev": ?"?${rev}\\b`).test(properties);
}

function isKnown({ absences, outages, answered }: Evidence, exchange: Exchange): boolean {
  const { answeredAt, status = 0, fate } = exchange;
  if (answeredAt === undefined || status >= 300 || (fate.do !== 'pass' && fate.do !== 'delay')) return false;
  if (!answered.has(exchange.sentAs)) return false;
  const until = answeredAt + SETTLE_MS;
  // Who was stopped may have sent it under a lease that ran out meanwhile.
  const away = absences.some(
    ({ pid, from, to }) => pid === senderOf(exchange) && from <= until && to + TIMES.leaseMs >= exchange.arrivedAt,
  );
  return !away && !outages.some(({ from, to }) => from <= until && to >= exchange.arrivedAt);
}
