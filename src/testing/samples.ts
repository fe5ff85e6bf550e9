import type { ContactEvent, HttpResponse, Operation, RemoteContact } from '../core/destination.ts';
import type { Bench } from './bench.ts';
import { bare, delivery } from './delivery.ts';
import { frozen } from './freeze.ts';
import { Person } from './person.ts';

const AT = '2026-05-06T07:08:09.123456Z';

/** An event with an id of its own. */
export function eventOf(n: number, name: string, properties: ContactEvent['properties'] = {}): ContactEvent {
  return { id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, name, properties, at: AT };
}

/** What is to be encoded, of every kind there is. */
export function deliveries(): readonly ReturnType<typeof bare>[] {
  const remote: RemoteContact = { address: 'ann@example.com', id: '1001' };
  const attributes = { NOTE: 'hello', SCORE: 7, EXTRA: { a: [1, null] }, CITY: null };
  return [
    { attributes },
    { attributes, remote },
    { attributes, remote: { ...remote, id: null } },
    { attributes, remote: { ...remote, imported: true } },
    { address: 'new@example.com', attributes, remote: { ...remote, subscription: 'unsubscribed' as const } },
    { address: 'new@example.com', remote: { ...remote, id: null, leftovers: ['x@example.com'] } },
    { attributes, takeover: true, consent: 'none' as const },
    { attributes, remote, consent: 'opted_out' as const },
    { action: 'delete' as const, address: null, remote },
    { action: 'delete' as const, address: null, remote: { address: null, id: null, leftovers: ['x@example.com'] } },
    { action: 'delete' as const, address: null },
    { action: 'unsubscribe' as const, address: null, remote },
    { action: 'unsubscribe' as const, address: null, remote: { ...remote, id: null } },
  ].map((parts) => frozen(bare(delivery(parts))));
}

/** Operations of every kind the destination makes. */
export function operations({ destination, config, plan }: Bench): readonly Operation[] {
  const made = deliveries().flatMap((each) => destination.encode(each, plan, config));
  const remote = { address: 'ann@example.com', id: '1001' };
  const event = destination.encodeEvent?.(
    frozen(eventOf(1, 'order_placed', { total: 1.5, items: [{ n: 1 }] })),
    remote,
    config,
  );
  return event === undefined ? made : [...made, event];
}

/** Real answers of the vendor: those to a short life of a contact. */
export async function answers(bench: Bench): Promise<readonly HttpResponse[]> {
  const before = bench.calls.length;
  const ann = new Person(bench);
  await ann.arrive({ attributes: { NOTE: 'hello' } });
  await ann.arrive({ address: 'new@example.com' });
  if (bench.destination.encodeEvent !== undefined) {
    await bench.perform({
      ...ann.parts({ address: 'new@example.com', events: [eventOf(2, 'order_placed')] }),
      sendState: false,
    });
  }
  await ann.arrive({ action: 'delete' });
  const kinds = [400, 401, 403, 404, 409, 422, 429, 500].map((status) => bench.vendor.failure(status));
  return [...bench.calls.slice(before).map(({ reply }) => reply), bench.vendor.refusal(), ...kinds].map(
    ({ status, headers, body }) => ({
      status,
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
      body: typeof body === 'string' ? body : '',
    }),
  );
}
