import type { JsonObject } from '../core/json.ts';
import { isJsonObject, parseJson } from '../core/json.ts';
import { type Foreteller, type Foretelling, foretell } from '../engine/foretell.ts';
import { fitsTogether, type PlannedCalls, secondsFor, togetherBy } from '../engine/plan-calls.ts';
import type { PlanLook, PlannedRow, PlannedState } from '../sql/plan/run.ts';
import { toClaimed } from '../sql/store/claim.ts';

/** Somebody as they are known at a destination, and as they will be. */
export interface PlannedSample {
  readonly state: PlannedState;
  readonly address: string | null;
  readonly before: { readonly address: string | null; readonly attributes: JsonObject } | undefined;
  readonly after: { readonly address: string | null; readonly attributes: JsonObject } | undefined;
  readonly fields: readonly string[] | undefined;
}

/** What is going to happen at one destination. In a sample numbers are not whole. */
export interface PlannedDestination {
  readonly people: Readonly<Record<PlannedState, number>>;
  /** Of the updates: what changes, by the name of the attribute, and `email` and `consent`. */
  readonly fields: Readonly<Record<string, number>>;
  /** Updates of which nobody knows what has arrived. */
  readonly again: number;
  /** Why nothing is sent of somebody. */
  readonly reasons: Readonly<Record<PlannedState, Readonly<Record<string, number>>>>;
  /** Refused before it is sent, by the code: a value that the destination would not take. Counted among those who change, too. */
  readonly refused: Readonly<Record<string, number>>;
  readonly calls: readonly PlannedCalls[];
  readonly seconds: number;
  readonly samples: readonly PlannedSample[];
}

/** What becomes of people. */
export interface PlannedPeople {
  readonly look: PlanLook;
  /** Not everybody was looked at. */
  readonly estimate: boolean;
  /** By the name of the destination; those that can't be used are not among them. */
  readonly destinations: ReadonlyMap<string, PlannedDestination>;
}

/** Adds up what a plan finds at one destination. */
export interface Tally {
  /** @returns what is going to be sent for whom; undefined for a number */
  add(row: PlannedRow, weight: number): Foretelling | undefined;
  result(): PlannedDestination;
}

/** What a claim would add. */
const UNCLAIMED = { tries: 0, due_at: '', lane: 1, send_state: true, install: '', epoch: '0' } as const;
const SAMPLES = 2;
const STATES: readonly PlannedState[] = [
  'create',
  'update',
  'delete',
  'unsubscribe',
  'unchanged',
  'skipped',
  'left_there',
  'refused',
  'held',
];

/** @param id the number of the destination; nothing that is said depends on it */
export function createTally(to: Foreteller, id = 0): Tally {
  const people = byState(() => 0);
  const fields = new Map<string, number>();
  const reasons = byState(() => new Map<string, number>());
  const refused = new Map<string, number>();
  const alone = new Map<string, PlannedCalls>();
  const together = new Map<string, PlannedCalls>();
  const samples: PlannedSample[] = [];
  let again = 0;
  let fitting = 0;
  return {
    add(row, weight) {
      const { state } = row;
      const n = Number(row.n) * weight;
      people[state] += n;
      if (row.contact_id === null) {
        if (row.reason !== null) plus(reasons[state], row.reason, n);
        return undefined;
      }
      const delivery = toClaimed({ ...row, contact_id: row.contact_id, ...UNCLAIMED }, row.payload, id);
      if (state === 'update') {
        if (row.fields === null || row.fields.length === 0) again += n;
        else for (const field of row.fields) plus(fields, field, n);
      }
      if (samples.filter((sample) => sample.state === state).length < SAMPLES)
        samples.push(sampleOf(row, delivery.attributes));
      const told = foretell(delivery, to, row.opted_out === true);
      if (told.refused !== undefined && told.refused.kind !== 'delivered') plus(refused, told.refused.code, n);
      const fits = told.refused === undefined && fitsTogether(delivery, to.destination, to.plan, to.config);
      if (fits) fitting += n;
      for (const call of told.calls) count(fits ? together : alone, call, n);
      return told;
    },
    result() {
      const waiting = people.create + people.update + people.delete + people.unsubscribe;
      const most = togetherBy(waiting, to.destination, to.config);
      const calls = new Map(alone);
      if (most === undefined) for (const call of together.values()) merge(calls, call);
      else if (fitting > 0) merge(calls, manyOf(to, Math.ceil(fitting / most)));
      const list = [...calls.values()].toSorted((a, b) => b.count - a.count || (a.path < b.path ? -1 : 1));
      return {
        people,
        fields: sorted(fields),
        again,
        reasons: byState((state) => sorted(reasons[state])),
        refused: sorted(refused),
        calls: list,
        seconds: secondsFor(list, to.destination, to.config),
        samples: samples.toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state)),
      };
    },
  };
}

function byState<T>(make: (state: PlannedState) => T): Record<PlannedState, T> {
  return Object.fromEntries(STATES.map((state) => [state, make(state)])) as Record<PlannedState, T>;
}

/** The request that takes many along. */
function manyOf({ destination, config }: Foreteller, requests: number): PlannedCalls {
  const request = destination.bulk?.request([{}], config);
  const { pathname } = new URL(request?.url ?? 'http://localhost/');
  return { method: request?.method ?? 'POST', path: pathname, traffic: 'bulk', count: requests };
}

function sampleOf(row: PlannedRow, attributes: JsonObject): PlannedSample {
  const { state, address, remote_address: remote } = row;
  const leaves = state === 'delete' || state === 'unsubscribe';
  const before = row.payload_before === null ? undefined : parseJson(row.payload_before);
  return {
    state,
    address: address ?? remote,
    before:
      before !== undefined && isJsonObject(before) ? { address: row.address_before, attributes: before } : undefined,
    after: leaves ? undefined : { address, attributes },
    fields: row.fields ?? undefined,
  };
}

function count(calls: Map<string, PlannedCalls>, call: Foretelling['calls'][number], n: number): void {
  merge(calls, { method: call.method, path: call.shape, traffic: call.traffic, count: n });
}

function merge(calls: Map<string, PlannedCalls>, call: PlannedCalls): void {
  const key = `${call.method} ${call.path} ${call.traffic}`;
  calls.set(key, { ...call, count: call.count + (calls.get(key)?.count ?? 0) });
}

function plus(into: Map<string, number>, key: string, n: number): void {
  into.set(key, (into.get(key) ?? 0) + n);
}

function sorted(map: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...map].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
