import type { Bulk } from '../core/bulk.ts';
import type { Delivery, RemoteContact } from '../core/destination.ts';
import type { JsonObject } from '../core/json.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Bench } from './bench.ts';
import { bare, delivery } from './delivery.ts';
import { frozen } from './freeze.ts';
import { must } from './must.ts';

/** Somebody to be sent with many others. */
export interface Imported {
  readonly address: string;
  readonly attributes?: JsonObject;
  /** As it is known there already. */
  readonly remote?: RemoteContact;
}

/** Questions about one request before it counts as endless. */
const MOST_POLLS = 100;

function bulkOf({ destination }: Bench): Bulk<unknown> {
  must(destination.bulk !== undefined, '`capabilities.bulk` names what `bulk` does');
  return destination.bulk;
}

function deliveryOf(person: Imported): Delivery {
  return frozen(bare(delivery({ attributes: {}, ...person })));
}

/** The rows of a request for many. */
export function rowsOf(bench: Bench, people: readonly Imported[]): readonly JsonObject[] {
  const bulk = bulkOf(bench);
  return people.map((person) => bulk.row(deliveryOf(person), bench.plan, bench.config));
}

/** Sends each by a request of their own. */
async function oneByOne(bench: Bench, people: readonly Imported[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const person of people) {
    const { state } = await bench.perform({ attributes: {}, ...person });
    must(state !== undefined, 'there was a state to send');
    outcomes.push(state);
  }
  return outcomes;
}

/**
 * Sends people in one request, as the engine does: whoever must go alone goes alone, rows that are refused are left out and the others sent again, a refusal that
 * names none is halved, and a request that works on is asked about until it has ended.
 * @returns what became of each, in order
 */
export async function importAll(bench: Bench, people: readonly Imported[]): Promise<readonly Outcome[]> {
  const bulk = bulkOf(bench);
  const goesAlone = (person: Imported): boolean => bulk.alone?.(deliveryOf(person), bench.plan, bench.config) === true;
  if (people.some(goesAlone)) {
    const alone = [...(await oneByOne(bench, people.filter(goesAlone)))];
    const others = people.filter((person) => !goesAlone(person));
    const together = others.length === 0 ? [] : [...(await importAll(bench, others))];
    return people.map((person) => (goesAlone(person) ? alone : together).shift()!);
  }
  const rows = rowsOf(bench, people);
  const sent = await bench.send(frozen(bulk.request(rows, bench.config)));
  if (!sent.answered) return people.map(() => sent.outcome);
  const start = bulk.started(sent.response, rows);
  switch (start.kind) {
    case 'answered':
      return people.map((_, n) => start.rows.get(n) ?? start.outcome);
    case 'started': {
      const outcome = await ended(bench, start.id);
      return outcome === 'partial' ? await oneByOne(bench, people) : people.map(() => outcome);
    }
    case 'refused': {
      must(start.rows.size > 0, 'a request is refused because of some rows', start);
      const others = people.filter((_, n) => !start.rows.has(n));
      const done = others.length === 0 ? [] : [...(await importAll(bench, others))];
      return people.map((_, n) => start.rows.get(n) ?? done.shift() ?? start.rows.values().next().value!);
    }
    case 'failed': {
      if (start.outcome.kind !== 'reject' || people.length === 1) return people.map(() => start.outcome);
      const half = people.length >> 1;
      return [...(await importAll(bench, people.slice(0, half))), ...(await importAll(bench, people.slice(half)))];
    }
  }
}

/** Asks about a request until it has ended; `partial` when not all were accepted, and nobody says which. */
export async function ended(bench: Bench, id: string): Promise<Outcome | 'partial'> {
  const { watch } = bulkOf(bench);
  must(watch !== undefined, 'a request that works on has a `watch`');
  for (let polls = 0; polls < MOST_POLLS; polls += 1) {
    const sent = await bench.send(watch.poll(id, bench.config));
    must(sent.answered, 'the stand-in answers', sent);
    const progress = watch.progress(sent.response);
    if (progress.kind === 'ended') return progress.outcome;
    if (progress.kind === 'partial') return 'partial';
  }
  must(false, `a request for many ends within ${MOST_POLLS} questions`);
}
