import type { WalPlan, WalState } from '../../sql/compile/wal-plan.ts';
import type { WalRelation, WalRow } from './decode.ts';
import { isUuid } from '../../core/uuid.ts';

/** A table that is read, with its plan. */
export interface WalSource {
  /** `schema.table`: its name in the database. */
  readonly name: string;
  readonly plan: WalPlan;
}

/** A source as it is at some place in the WAL: where its columns are. */
export interface Mapped {
  readonly source: WalSource;
  readonly relation: WalRelation;
  /** By the place of the column. */
  readonly wanted: readonly boolean[];
  /** The primary key; undefined while a column of it is not there. */
  readonly key: readonly number[] | undefined;
  /** Each with the places of its links and of what is watched; no links while one of them is not there. */
  readonly states: readonly {
    readonly state: WalState;
    readonly links: readonly number[] | undefined;
    readonly watched: readonly number[];
  }[];
  /** What is captured of events. `raw`: whole rows, as the columns are others than the plan's. */
  readonly events: { readonly places: readonly number[]; readonly raw: boolean } | undefined;
}

/** Finds the columns of a plan. */
export function mapRelation(source: WalSource, relation: WalRelation): Mapped {
  const { plan } = source;
  const at = new Map(relation.columns.map(({ name }, place) => [name, place]));
  const all = (names: readonly string[]): readonly number[] | undefined => {
    const places = names.flatMap((name) => at.get(name) ?? []);
    return places.length === names.length ? places : undefined;
  };
  const some = (names: readonly string[] | null): readonly number[] =>
    names === null ? relation.columns.map((_, place) => place) : names.flatMap((name) => at.get(name) ?? []);
  const states = plan.states.map((state) => ({ state, links: all(state.links), watched: some(state.watched) }));
  const fitting = plan.events === null ? undefined : all(plan.events.columns);
  const events =
    plan.events === null ? undefined : { places: fitting ?? some(plan.events.whole), raw: fitting === undefined };
  const wanted = new Set([
    ...(all(plan.key) ?? []),
    ...states.flatMap(({ links, watched }) => [...(links ?? []), ...(relation.full ? watched : [])]),
    ...(events?.places ?? []),
  ]);
  return {
    source,
    relation,
    wanted: relation.columns.map((_, place) => wanted.has(place)),
    key: all(plan.key),
    states,
    events,
  };
}

export type RowChange =
  | { readonly kind: 'insert'; readonly row: WalRow; readonly old?: undefined }
  | { readonly kind: 'update'; readonly row: WalRow; readonly old: WalRow | undefined }
  | { readonly kind: 'delete'; readonly old: WalRow; readonly row?: undefined };

/** What one change of a row tells. */
export interface Told {
  /** Values of links, or keys, by the role that they are of. */
  readonly keys: readonly { readonly state: WalState; readonly rows: readonly unknown[] }[];
  /** A captured row: its key, the values as they are and were. */
  readonly event: { readonly k: string; readonly n: WalRow; readonly p: WalRow | null } | undefined;
  /** The WAL says too little of it: a sweep has to find what it changed. */
  readonly missed: boolean;
  /** And an event is lost by that. */
  readonly lost: boolean;
}

/** Reads one change as a trigger would see it. Pure. */
export function readChange(mapped: Mapped, change: RowChange, quiet: boolean): Told {
  const { relation } = mapped;
  // What is not sent has not changed.
  const row = change.row?.map((value, place) => (value === undefined ? change.old?.[place] : value));
  const keys: { state: WalState; rows: unknown[] }[] = [];
  let missed = false;
  for (const { state, links, watched } of mapped.states) {
    if (links === undefined || (change.kind !== 'insert' && !links.every((place) => relation.columns[place]?.key))) {
      missed = true;
      continue;
    }
    const { old } = change;
    if (
      row !== undefined &&
      old !== undefined &&
      relation.full &&
      [...links, ...watched].every((n) => row[n] === old[n])
    )
      continue;
    const rows = [row, old].flatMap((each) => (each === undefined ? [] : linkOf(state, links, relation, each)));
    keys.push({ state, rows });
  }
  const event = eventOf(mapped, change, row, quiet);
  const lost = event === 'lost';
  return { keys, event: lost ? undefined : event, missed: missed || lost, lost };
}

function linkOf(state: WalState, links: readonly number[], relation: WalRelation, row: WalRow): readonly unknown[] {
  if (state.function !== null)
    return [Object.fromEntries(links.map((place) => [relation.columns[place]?.name, row[place] ?? null]))];
  const value = row[links[0] ?? -1];
  return value === null || value === undefined || (state.uuid && !isUuid(value)) ? [] : [value];
}

function eventOf(
  { source, relation, events, key }: Mapped,
  change: RowChange,
  row: WalRow | undefined,
  quiet: boolean,
): Told['event'] | 'lost' {
  const planned = source.plan.events;
  if (events === undefined || planned === null || !planned.operations.includes(change.kind)) return undefined;
  if (quiet && planned.quiet) return undefined;
  const { places } = events;
  const pick = (from: WalRow): WalRow => places.map((place) => from[place]);
  const now = row ?? change.old ?? [];
  // What a row was is in the WAL whole or not at all.
  if (change.kind !== 'insert' && !relation.full) return 'lost';
  const n = pick(now);
  if (n.includes(undefined) || key === undefined) return 'lost';
  const k = keyText(key, now);
  if (change.kind !== 'update') return { k, n, p: null };
  const { old } = change;
  if (old === undefined) return 'lost';
  // Another key is another row, as a trigger has it.
  if (keyText(key, old) !== k) return { k, n, p: null };
  const p = pick(old);
  const compared = events.raw ? relation.columns.map((_, place) => place) : places;
  return compared.some((place) => now[place] !== old[place]) ? { k, n, p } : undefined;
}

function keyText(key: readonly number[], row: WalRow): string {
  const values = key.map((place) => row[place] ?? null);
  return values.length === 1 ? String(values[0]) : JSON.stringify(values);
}
