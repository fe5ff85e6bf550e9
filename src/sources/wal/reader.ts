import { WRITING_MESSAGE } from '../../sql/compile/write-back.ts';
import type { WalMessage, WalRelation } from './decode.ts';
import { formatLsn, formatTime } from './lsn.ts';
import { mapRelation, type Mapped, readChange, type RowChange, type WalSource } from './rows.ts';

/** A place between two changes. */
export interface WalPlace {
  /** Transactions whose commit lies before it are done. */
  readonly at: bigint;
  /** So many rows of the one whose commit lies at it. */
  readonly place: number;
}

/** Captured rows of one kind that follow on each other. */
export interface WalRun {
  readonly source: string;
  readonly o: RowChange['kind'];
  readonly raw: boolean;
  readonly columns: readonly (readonly [name: string, type: number, modifier: number])[];
  readonly rows: {
    readonly l: string;
    readonly k: string;
    readonly n: unknown;
    readonly p: unknown;
    readonly t: string;
  }[];
}

/** What was read since the last one was taken. */
export interface WalChunk {
  readonly keys: readonly {
    readonly log: string | null;
    readonly function: string | null;
    readonly rows: readonly unknown[];
  }[];
  readonly events: readonly WalRun[];
  readonly truncated: readonly string[];
  /** Tables to whether an event was lost. */
  readonly missed: Readonly<Record<string, boolean>>;
  /** Of the first commit that something is of, in microseconds since 2000: nothing has changed before. */
  readonly since: bigint | undefined;
  /** The transactions that something is of: they are told of before their rows can be seen. */
  readonly xids: readonly number[];
}

/** Turns messages into what the log takes, and knows the place. Pure but for its state. */
export class WalReader {
  readonly #sourceOf: (relation: WalRelation) => WalSource | undefined;
  readonly #mapped = new Map<number, Mapped>();
  /** Rows of the open transaction that were taken before. */
  #skip = 0;
  #done: WalPlace;
  #commit: bigint | undefined;
  #row = 0;
  #quiet = false;
  /** Of the last commit, in microseconds since 2000: clocks go back, the order of commits does not. */
  #time: bigint;
  #keys = new Map<string, { log: string | null; function: string | null; seen: Set<string>; rows: unknown[] }>();
  #events: WalRun[] = [];
  #truncated: string[] = [];
  #missed: Record<string, boolean> = {};
  #size = 0;
  /** When the open transaction was committed; and the first of those that something waits of. */
  #committed = 0n;
  #since: bigint | undefined;
  #xid = 0;
  #xids = new Set<number>();

  /** @param from what comes before it is passed over */
  constructor(from: WalPlace, time: bigint, sourceOf: (relation: WalRelation) => WalSource | undefined) {
    this.#done = from;
    this.#time = time;
    this.#sourceOf = sourceOf;
  }

  /** Where what was read so far ends. */
  get place(): WalPlace {
    return this.#commit === undefined ? this.#done : { at: this.#commit, place: this.#row };
  }

  get time(): bigint {
    return this.#time;
  }

  /** About how many rows and kilobytes are waiting to be taken. */
  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  read(message: WalMessage): void {
    switch (message.kind) {
      case 'begin':
        this.#xid = message.xid;
        return this.#begin(message.commit, message.at);
      case 'commit':
        if (this.#commit !== undefined && message.end > this.#done.at) this.#done = { at: message.end, place: 0 };
        this.#commit = undefined;
        return;
      case 'relation': {
        const source = this.#sourceOf(message.relation);
        if (source === undefined) this.#mapped.delete(message.relation.id);
        else this.#mapped.set(message.relation.id, mapRelation(source, message.relation));
        return;
      }
      case 'insert':
      case 'update':
      case 'delete':
        return this.#change(message.relation, message);
      case 'truncate':
        if (this.#commit === undefined) return;
        for (const id of message.relations) {
          const name = this.#mapped.get(id)?.source.name;
          if (name !== undefined) this.#truncated.push(name);
        }
        this.#grow(1);
        return;
      case 'message':
        if (message.prefix === WRITING_MESSAGE) this.#quiet = message.content === 'on';
        return;
      case 'other':
    }
  }

  /** Everything before it is read and done, though nothing of it was for us. */
  pass(at: bigint): void {
    if (this.#commit === undefined && at > this.#done.at) this.#done = { at, place: 0 };
  }

  take(): WalChunk {
    const chunk = {
      keys: [...this.#keys.values()].map(({ log, function: made, rows }) => ({ log, function: made, rows })),
      events: this.#events,
      truncated: this.#truncated,
      missed: this.#missed,
      since: this.#since,
      xids: [...this.#xids],
    };
    this.#keys = new Map();
    this.#events = [];
    this.#truncated = [];
    this.#missed = {};
    this.#size = 0;
    this.#since = undefined;
    this.#xids = new Set();
    return chunk;
  }

  #begin(commit: bigint, at: bigint): void {
    this.#row = 0;
    this.#quiet = false;
    this.#skip = commit === this.#done.at ? this.#done.place : 0;
    this.#commit = commit < this.#done.at ? undefined : commit;
    this.#committed = at;
    if (at > this.#time) this.#time = at;
  }

  #grow(by: number): void {
    this.#size += by;
    this.#xids.add(this.#xid);
    if (this.#since === undefined || this.#committed < this.#since) this.#since = this.#committed;
  }

  #change(relation: number, change: RowChange): void {
    const commit = this.#commit;
    if (commit === undefined) return;
    this.#row += 1;
    const mapped = this.#mapped.get(relation);
    if (mapped === undefined || this.#row <= this.#skip) return;
    const { name } = mapped.source;
    const told = readChange(mapped, change, this.#quiet);
    for (const { state, rows } of told.keys) for (const row of rows) this.#addKey(state, row);
    if (told.event !== undefined) this.#addEvent(mapped, change.kind, told.event, commit);
    if (!told.missed) return;
    this.#missed[name] = this.#missed[name] === true || told.lost;
    this.#grow(1);
  }

  #addKey({ log, function: made }: { log: string | null; function: string | null }, row: unknown): void {
    const to = `${made ?? ''} ${log ?? ''}`;
    const found = this.#keys.get(to) ?? { log, function: made, seen: new Set(), rows: [] };
    const text = typeof row === 'string' ? row : JSON.stringify(row);
    this.#keys.set(to, found);
    if (found.seen.has(text)) return;
    found.seen.add(text);
    found.rows.push(row);
    this.#grow(1 + text.length / 1_024);
  }

  #addEvent(
    mapped: Mapped,
    o: RowChange['kind'],
    event: { k: string; n: readonly unknown[]; p: unknown },
    commit: bigint,
  ): void {
    const { relation, events, source } = mapped;
    let run = this.#events.at(-1);
    const columns = (events?.places ?? []).map((place) => {
      const { name, type, modifier } = relation.columns[place]!;
      return [name, type, modifier] as const;
    });
    const raw = events?.raw ?? false;
    if (run === undefined || run.source !== source.name || run.o !== o || !sameColumns(run.columns, columns)) {
      run = { source: source.name, o, raw, columns, rows: [] };
      this.#events.push(run);
    }
    run.rows.push({ l: formatLsn(commit), ...event, t: formatTime(this.#time) });
    this.#grow(1 + event.n.reduce<number>((sum, value) => sum + String(value).length, 0) / 512);
  }
}

function sameColumns(a: WalRun['columns'], b: WalRun['columns']): boolean {
  return a.length === b.length && a.every(([name, type], n) => b[n]?.[0] === name && b[n]?.[1] === type);
}
