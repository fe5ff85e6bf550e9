import { TIMES } from './crew.ts';
import { type Evidence, senderOf } from './evidence.ts';
import type { Exchange } from './exchange.ts';

/** A request, and from when to when its sender waited for it. */
interface Span {
  readonly exchange: Exchange;
  readonly from: number;
  readonly to: number;
}

/** Senders note the beginning and the end a little late. */
const NOTED_MS = 50;

/** No request about a contact leaves while another worker still waits for an earlier one about it: SPEC.md, "Invariants", 3. */
export function judgeOverlap(evidence: Evidence): readonly string[] {
  const stories = new Map<string, Span[]>();
  for (const exchange of evidence.exchanges) {
    const to = evidence.ends.get(exchange.sentAs);
    // A job is asked about by whoever works on it; of who was killed, nobody waits.
    if (to === undefined || exchange.method === 'GET') continue;
    const span = { exchange, from: evidence.sentAt(exchange), to };
    for (const who of whoOf(exchange)) {
      const key = `${exchange.destination} ${who}`;
      stories.set(key, [...(stories.get(key) ?? []), span]);
    }
  }
  return [...stories].flatMap(([who, spans]) => {
    const sorted = spans.toSorted((a, b) => a.from - b.from);
    return sorted.flatMap((later, place) => {
      const earlier = sorted.slice(0, place).find((each) => meet(evidence, each, later));
      return earlier === undefined
        ? []
        : [`${who}: exchange ${later.exchange.n} left while ${earlier.exchange.n} was not over`];
    });
  });
}

function meet(evidence: Evidence, earlier: Span, later: Span): boolean {
  const senders = [earlier, later].map(({ exchange }) => senderOf(exchange));
  return (
    senders[0] !== senders[1] &&
    // Two who have had an address may both remove what is left of them there.
    !(earlier.exchange.method === 'DELETE' && later.exchange.method === 'DELETE') &&
    earlier.to > later.from + NOTED_MS &&
    // The machine kept its sender from giving it up in time.
    earlier.to - earlier.from <= TIMES.requestMs + NOTED_MS &&
    !wasAway(evidence, senders[0]!, earlier.from, earlier.to) &&
    !wasAway(evidence, senders[1]!, later.from, later.from)
  );
}

/** Whose lease may have run out while it was stopped. */
function wasAway({ absences }: Evidence, sender: number, from: number, to: number): boolean {
  return absences.some((each) => each.pid === sender && each.from <= to && each.to >= from - TIMES.leaseMs);
}

/** Whom a request is about: addresses, and to a receiver of webhooks its id. */
function whoOf({ destination, path, body }: Exchange): ReadonlySet<string> {
  if (destination === 'webhook') return new Set(/"contact":\{"id":"([^"]+)"/.exec(body)?.slice(1) ?? []);
  return new Set(`${decodeURIComponent(path)} ${body}`.match(/\b\w+@example\.com/g) ?? []);
}
