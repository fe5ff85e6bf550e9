import { isJsonObject, type Json, parseJson } from '../../../src/core/json.ts';
import { type Change, type Evidence, wasStopped } from './evidence.ts';
import { TIMES } from './crew.ts';
import { saysNo } from './judge-consent.ts';
import { DESTINATIONS } from './plan.ts';
import { isOfEvents } from './judge-events.ts';
import type { Exchange } from './exchange.ts';

/** What a destination took in of one contact, in the order it took it. */
interface Step {
  /** Greater is newer. */
  readonly age: number;
  readonly exchange: number | undefined;
  readonly arrival: number;
  /** Applied by a job, not by the request that asks about it. */
  readonly byJob: boolean;
  readonly what: string;
}

/**
 * Older after newer only where the proxy held the request, never longer than the grace, or its sender was stopped; and then
 * something newer followed.
 */
export function judgeOrder(evidence: Evidence): readonly string[] {
  const stories: (readonly [string, readonly Step[]])[] = [...byVersion(evidence)];
  for (const destination of DESTINATIONS) {
    if (destination !== 'webhook') stories.push(...byNumber(evidence, destination));
  }
  return stories.flatMap(([who, steps]) => judgeSteps(evidence, who, steps));
}

function judgeSteps(evidence: Evidence, who: string, steps: readonly Step[]): readonly string[] {
  let newest = -Infinity;
  return steps.flatMap((step, place) => {
    const before = newest;
    newest = Math.max(newest, step.age);
    if (step.age >= before) return [];
    const what = `${who}: ${step.what} after something newer`;
    const followed = steps.slice(place + 1).some((later) => later.age >= before);
    return [
      ...(mayBeLate(evidence, step) ? [] : [`${what}, though its request was not held and its sender was not stopped`]),
      ...(followed ? [] : [`${what}, and nothing newer followed`]),
    ];
  });
}

function mayBeLate({ exchanges, absences, sentAt }: Evidence, step: Step): boolean {
  const exchange = step.exchange === undefined ? undefined : exchanges[step.exchange];
  if (exchange === undefined) return false;
  // A job whose beginning nobody knows of works on beside what comes later.
  if (step.byJob) {
    return (
      exchanges.some(
        (each) => each.destination === exchange.destination && isJobStart(each) && each.fate.do !== 'pass',
      ) || absences.length > 0
    );
  }
  // On its way for longer than its sender waits for an answer.
  if ((exchange.forwardedAt[step.arrival] ?? Infinity) - sentAt(exchange) > TIMES.leastRequestMs) return true;
  if (exchange.fate.do === 'echo' || exchange.fate.do === 'hold') return true;
  return wasStopped({ absences }, exchange);
}

function isJobStart({ method, path }: Exchange): boolean {
  return method === 'POST' && /import/.test(path);
}

/** A receiver of webhooks is told the version itself, and does what the destination's README.md asks of one. */
function byVersion(evidence: Evidence): ReadonlyMap<string, Step[]> {
  const stories = new Map<string, Step[]>();
  /** Contact to the address it was last told of at. */
  const homes = new Map<string, string>();
  const passedOver: (readonly [string, Json | undefined])[] = [];
  const arrivals = new Map<number, number>();
  const had = new Set<string>();
  for (const call of evidence.calls) {
    if (call.destination !== 'webhook' || call.status >= 300) continue;
    const arrival = arrivals.get(call.exchange) ?? 0;
    arrivals.set(call.exchange, arrival + 1);
    const body = parseJson(call.body);
    const data = field(body, 'data');
    const contact = field(data, 'contact');
    const id = field(contact, 'id');
    const version = Number(field(data, 'version'));
    const message = call.headers['webhook-id'] ?? '';
    if (typeof id !== 'string' || Number.isNaN(version) || had.has(message)) continue;
    had.add(message);
    const steps = stories.get(`webhook ${id}`) ?? [];
    stories.set(`webhook ${id}`, steps);
    const step = { exchange: call.exchange, arrival, byJob: false };
    // The same again, of somebody who has no address any more: it brings back nothing that was ended.
    const newest = Math.max(0, ...steps.map(({ age }) => age));
    const again = field(contact, 'address') === null && Math.floor(newest) === version;
    steps.push({ ...step, age: again ? newest : version, what: `version ${version}` });
    const address = field(contact, 'address');
    // What is older is passed over by whoever is told, and over for sure when somebody else has that address.
    if (steps.some(({ age }) => Math.floor(age) > version)) {
      passedOver.push([id, address]);
      continue;
    }
    if (field(body, 'type') === 'contact.deleted') homes.delete(id);
    else if (typeof address === 'string') homes.set(id, address);
    const previous = field(contact, 'previous_addresses');
    const places = new Set([address, ...(Array.isArray(previous) ? previous : [])]);
    for (const [other, home] of passedOver) {
      const ended = stories.get(`webhook ${other}`)!;
      const age = Math.max(...ended.map((each) => each.age));
      if (other !== id && places.has(home)) ended.push({ ...step, age, what: 'gone' });
    }
    // Whoever else is at an address of theirs is ended by it, and that is the newest of them.
    for (const [other, home] of homes) {
      if (other === id || !places.has(home)) continue;
      homes.delete(other);
      const ended = stories.get(`webhook ${other}`)!;
      const age = Math.floor(Math.max(...ended.map((each) => each.age)));
      const gone = { ...step, age, what: 'gone' };
      // A request that is late may end what is newer: then what it ended is told of again, as it was.
      ended.push(mayBeLate(evidence, gone) ? gone : { ...gone, age: age + 0.5 });
    }
  }
  return stories;
}

/** Elsewhere the number with which every write to a user is stamped tells. Who is gone from an address is newer than who was there. */
function byNumber(evidence: Evidence, destination: string): ReadonlyMap<string, Step[]> {
  const stories = new Map<string, Step[]>();
  const places = new Map<string, string>();
  const storyOf = (address: string): Step[] => {
    const steps = stories.get(`${destination} ${address}`) ?? [];
    stories.set(`${destination} ${address}`, steps);
    return steps;
  };
  for (const change of evidence.changes) {
    const { kind, contact } = change;
    if (change.destination !== destination) continue;
    const exchange = change.exchange === undefined ? undefined : evidence.exchanges[change.exchange];
    const byJob = exchange !== undefined && !writes(exchange, change);
    const add = (address: string, what: string, ageOf: (newest: number) => number): void => {
      const steps = storyOf(address);
      const age = ageOf(Math.max(0, ...steps.map((step) => step.age)));
      steps.push({ age, exchange: change.exchange, arrival: change.arrival, byJob, what });
    };
    const leaves = (address: string): void => {
      add(address, 'gone', (newest) => newest);
      // A request that is late may end what is newer: then what it ended comes again, as it was.
      if (!mayBeLate(evidence, storyOf(address).at(-1)!)) add(address, 'gone', (newest) => newest + 0.5);
    };
    const place = places.get(contact.id);
    // Told to mail somebody no more, who left: that is the newest of them, and says nothing of the number.
    if (exchange !== undefined && unsubscribes(exchange, change)) {
      add(contact.address, 'unsubscribed', (newest) => newest);
      continue;
    }
    if (kind === 'opted_out' || kind === 'opted_in') continue;
    if (kind === 'deleted') {
      places.delete(contact.id);
      leaves(contact.address);
      continue;
    }
    if (place !== undefined && place !== contact.address) leaves(place);
    places.set(contact.id, contact.address);
    const number = contact.attributes['N'];
    const what = `${kind} with ${number === undefined ? 'none' : Number(number)}`;
    // What the app has there in the end is older than nothing, also where it was ended meanwhile and came again.
    const last = evidence.numbers.get(contact.address);
    add(contact.address, what, (newest) => {
      if (number === undefined) return newest;
      return Number(number) === last ? Infinity : Number(number);
    });
  }
  return stories;
}

/** Whether the request asks for nothing but that somebody is not mailed any more. */
function unsubscribes({ method, body }: Exchange, { kind, contact }: Change): boolean {
  const says = method !== 'GET' && kind !== 'deleted' && contact.status === 'unsubscribed';
  return says && saysNo(body) && !body.includes('"N"');
}

/** Whether the change is what the request asks for itself: a job at work may write to the same contact in that moment. */
function writes(exchange: Exchange, { contact }: Change): boolean {
  const { path, body } = exchange;
  if (exchange.method === 'GET' || isJobStart(exchange) || isOfEvents(exchange)) return false;
  const said = /"N":\s*"?(\d+)/.exec(body)?.[1];
  const number = contact.attributes['N'];
  if (said !== undefined && number !== undefined && Number(said) !== Number(number)) return false;
  // An id may be one digit, which stands in many bodies.
  return (
    path.split(/[/?]/).includes(contact.id) ||
    new RegExp(`"id":"?${contact.id}\\b`).test(body) ||
    [contact.address, encodeURIComponent(contact.address)].some((each) => path.includes(each) || body.includes(each))
  );
}

function field(of: Json | undefined, name: string): Json | undefined {
  return of !== undefined && isJsonObject(of) ? of[name] : undefined;
}
