import type { ContactEvent } from '../../../src/destinations/mailtrap/sandbox/store.ts';
import { canonical, canonicalText } from './canonical.ts';
import { groupBy } from './group-by.ts';
import type { AuditedEvent, History, State } from './history.ts';

const BY_EMAIL = 'email:';

/**
 * Every difference between the events that happened and those that arrived, in words.
 * @param lossy what was sent twice may arrive twice
 * @param failing requests fail: ahead of a deletion each event is sent once, whatever became of the one before
 */
export function judgeEvents(
  history: History,
  arrived: readonly ContactEvent[],
  lossy: boolean,
  failing = false,
): readonly string[] {
  const problems: string[] = [];
  const happened = groupBy(
    history.events.filter((event) => event.wanted),
    (event) => identity(event.name, canonicalText(event.properties)),
  );
  const arrivals = arrived.map((event, place) => ({
    place,
    email: event.email,
    contact: event.contactId,
    what: identity(event.name, canonical(event.params)),
  }));
  const found = groupBy(arrivals, (arrival) => arrival.what);
  for (const [what, those] of found) {
    const events = happened.get(what);
    if (events === undefined) {
      problems.push(`arrived and never happened, or was rolled back or filtered: ${what}`);
      continue;
    }
    if (!lossy && those.length > events.length)
      problems.push(`arrived ${those.length} times instead of ${events.length}: ${what}`);
    for (const { email } of those) {
      if (!events.some((event) => mayArriveAt(event, email, history))) problems.push(`arrived at ${email}: ${what}`);
    }
  }
  for (const [what, events] of happened) {
    const must = events.filter((event) => mustArrive(event, history));
    const times = found.get(what)?.length ?? 0;
    if (times < must.length) {
      problems.push(
        `arrived ${times} times instead of ${must.length}: ${what} of ${must.map((e) => e.key).join(', ')}`,
      );
    }
  }
  const firsts = new Map(
    [...found].flatMap(([what, [first]]) => (first === undefined ? [] : [[what, first] as const])),
  );
  const stayed = ({ key, commit }: AuditedEvent): boolean =>
    !failing || (key !== null && history.states.slice(commit).every((state) => state.living[key] !== undefined));
  return [...problems, ...judgeOrder(happened, firsts, stayed)];
}

function identity(name: string, properties: string): string {
  return `${name} ${properties}`;
}

/** The first arrival of an event. */
interface Arrival {
  readonly place: number;
  readonly email: string;
  /** The contact's id at the destination. */
  readonly contact: string;
}

/**
 * Two events of one contact have an order when one was both written and committed first; of one command only the events of one
 * row have. What leads through a row of customers may have been led to another contact by then.
 */
function judgeOrder(
  happened: ReadonlyMap<string, readonly AuditedEvent[]>,
  arrivals: ReadonlyMap<string, Arrival>,
  isOrdered: (first: AuditedEvent) => boolean,
): readonly string[] {
  const placed = [...happened].flatMap(([what, [event, ...more]]) => {
    const arrival = arrivals.get(what);
    return event === undefined || more.length > 0 || arrival === undefined ? [] : [{ what, event, arrival }];
  });
  return placed.flatMap((one) =>
    placed.flatMap((other) => {
      const [a, b] = [one.event, other.event];
      const ordered = a.id < b.id && a.commit <= b.commit && (a.turn !== b.turn || a.row === b.row);
      const direct = a.customer === null && b.customer === null;
      const same = a.key !== null && a.key === b.key && (direct || one.arrival.contact === other.arrival.contact);
      return ordered && same && isOrdered(a) && one.arrival.place > other.arrival.place
        ? [`out of order for ${a.key}: ${other.what} arrived before ${one.what}`]
        : [];
    }),
  );
}

/**
 * Its contact was one from its commit to the end, or waited for the first time and became one. Who was deleted in between may
 * have lost it.
 */
function mustArrive(event: AuditedEvent, { states }: History): boolean {
  const { key, customer } = event;
  if (key === null || !event.certain) return false;
  const since = states.slice(event.commit);
  if (customer !== null && !since.every((state) => state.customers[customer] === key)) return false;
  const contacts = since.map((state) => contactOf(key, state));
  const first = contacts.findIndex((contact) => contact !== null);
  if (first === -1) return false;
  const waited = since.slice(0, first).every((state) => state.users[key] === 'waiting' || state.users[key] === 'ok');
  const before = states.slice(0, event.commit).some((state) => contactOf(key, state) !== null);
  if (first > 0 && (before || !waited)) return false;
  // One contact, then perhaps the user who took it over.
  const [taken, ...more] = new Set(contacts.slice(first).filter((contact) => contact !== key));
  if (taken === null || more.length > 0) return false;
  return taken === undefined || contacts.slice(contacts.indexOf(taken)).every((contact) => contact === taken);
}

/**
 * The key of the contact that somebody's events go to. Null when there is none, and where several users have one address: only
 * one of them is a contact, and it is not said which.
 */
function contactOf(key: string, state: State): string | null {
  const address = state.living[key] ?? (key.startsWith(BY_EMAIL) ? key.slice(BY_EMAIL.length) : undefined);
  if (address === undefined || (state.owners[address] ?? 0) > 1) return null;
  if (state.living[key] !== undefined) return key;
  return Object.keys(state.living).find((other) => state.living[other] === address) ?? null;
}

/** At an address its contact had once; one who was known by the address alone may have become a user, who may have moved. */
function mayArriveAt(event: AuditedEvent, email: string, { states }: History): boolean {
  const keys = new Set<string>();
  if (event.key !== null) keys.add(event.key);
  for (const state of states.slice(event.commit)) {
    const key = event.customer === null ? undefined : state.customers[event.customer];
    if (typeof key === 'string') keys.add(key);
  }
  const addresses = new Set<string>();
  const add = (): void => {
    for (const key of keys) if (key.startsWith(BY_EMAIL)) addresses.add(key.slice(BY_EMAIL.length));
    for (const state of states) {
      for (const [key, address] of Object.entries(state.living)) {
        if (keys.has(key)) addresses.add(address);
      }
    }
  };
  add();
  for (const state of states) {
    for (const [key, address] of Object.entries(state.living)) {
      if ([...keys].some((k) => k === `${BY_EMAIL}${address}`)) keys.add(key);
    }
  }
  add();
  return addresses.has(email);
}
