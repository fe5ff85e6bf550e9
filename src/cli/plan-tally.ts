import { isJsonObject, type Json, type JsonObject, parseJson, renderJson } from '../core/json.ts';
import { type Foreteller, type Foretelling, foretell } from '../engine/foretell.ts';
import { fitsTogether, type PlannedCalls, secondsFor, togetherBy } from '../engine/plan-calls.ts';
import type { PlanLook, PlannedRow, PlannedState } from '../sql/plan/run.ts';
import { type ClaimRow, toClaimed } from '../sql/store/claim.ts';

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

type Counted = PlannedCalls & { count: number };

/** Adds up what a plan finds at one destination. */
export interface Tally {
  /** @returns what is going to be sent for whom; undefined for a number */
  add(row: PlannedRow, weight: number): Foretelling | undefined;
  result(): PlannedDestination;
}

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
  const alone = new Map<string, Counted>();
  const together = new Map<string, Counted>();
  const samples: PlannedSample[] = [];
  const shown = byState(() => 0);
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
      const delivery = toClaimed(claimOf(row, row.contact_id), row.payload, id);
      const before = row.payload_before === null ? undefined : objectOf(row.payload_before);
      const changed = before === undefined ? [] : changedFields(row, before, delivery.attributes);
      for (const field of changed) plus(fields, field, n);
      if (state === 'update' && changed.length === 0) again += n;
      if (shown[state] < SAMPLES) {
        shown[state] += 1;
        samples.push(sampleOf(row, before, delivery.attributes, changed));
      }
      const told = foretell(delivery, to, row.opted_out === true);
      if (told.refused !== undefined && told.refused.kind !== 'delivered') plus(refused, told.refused.code, n);
      const fits = told.refused === undefined && fitsTogether(delivery, to.destination, to.plan, to.config);
      if (fits) fitting += n;
      for (const { method, shape, traffic } of told.calls)
        merge(fits ? together : alone, { method, path: shape, traffic, count: n });
      return told;
    },
    result() {
      const waiting = people.create + people.update + people.delete + people.unsubscribe;
      const most = togetherBy(waiting, to.destination, to.config);
      const calls = new Map([...alone].map(([key, call]) => [key, { ...call }]));
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

/** As a claim would have it, member by member: a million copies of rows would take half of the time. */
function claimOf(row: PlannedRow, contactId: string): ClaimRow {
  return {
    contact_id: contactId,
    version: row.version,
    action: row.action,
    address: row.address,
    remote_address: row.remote_address,
    remote_id: row.remote_id,
    payload: row.payload,
    consent: row.consent,
    carry_from: row.carry_from,
    takeover: row.takeover,
    leftovers: row.leftovers,
    imported: row.imported,
    lane: 1,
    delivered: row.delivered,
    tries: 0,
    due_at: '',
    again: row.again === true,
    astray: row.astray === true,
    install: '',
    epoch: '0',
  };
}

/** What an update says otherwise than was said: the names of attributes, `email` and `consent`. None where the same is sent again. */
function changedFields(row: PlannedRow, before: JsonObject, after: JsonObject): readonly string[] {
  if (row.consent_before === null) return [];
  const same = (a: Json | undefined, b: Json | undefined): boolean =>
    a === b || (typeof a === 'object' && typeof b === 'object' && renderJson(a) === renderJson(b));
  const names = Object.keys(before).filter((name) => !Object.hasOwn(after, name) || !same(before[name], after[name]));
  for (const name of Object.keys(after)) if (!Object.hasOwn(before, name)) names.push(name);
  return [
    ...(row.address_before !== null && row.address_before !== row.address ? ['email'] : []),
    ...names.toSorted(),
    ...(row.consent_before === row.consent ? [] : ['consent']),
  ];
}

function objectOf(text: string): JsonObject {
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}

function sampleOf(
  row: PlannedRow,
  before: JsonObject | undefined,
  attributes: JsonObject,
  changed: readonly string[],
): PlannedSample {
  const { state, address, remote_address: remote } = row;
  const leaves = state === 'delete' || state === 'unsubscribe';
  return {
    state,
    address: address ?? remote,
    before: before === undefined ? undefined : { address: row.address_before, attributes: before },
    after: leaves ? undefined : { address, attributes },
    fields: row.consent_before === null ? undefined : changed,
  };
}

function merge(calls: Map<string, Counted>, { method, path, traffic, count }: PlannedCalls): void {
  const key = `${method} ${path} ${traffic}`;
  const known = calls.get(key);
  if (known === undefined) calls.set(key, { method, path, traffic, count });
  else known.count += count;
}

function plus(into: Map<string, number>, key: string, n: number): void {
  into.set(key, (into.get(key) ?? 0) + n);
}

function sorted(map: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...map].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
