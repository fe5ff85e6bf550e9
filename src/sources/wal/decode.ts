/** A column of a table as it is at some place in the WAL. */
export interface WalColumn {
  readonly name: string;
  /** Part of the replica identity: what a row was is known of it. */
  readonly key: boolean;
  /** Of `pg_type`. */
  readonly type: number;
  readonly modifier: number;
}

/** A table as it is at some place in the WAL. */
export interface WalRelation {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  /** Its replica identity is FULL. */
  readonly full: boolean;
  readonly columns: readonly WalColumn[];
}

/** Values as text, by the place of their columns; undefined: not sent as it has not changed (TOAST), or not asked for. */
export type WalRow = readonly (string | null | undefined)[];

/** What the output plugin `pgoutput` says, version 1 of its protocol (postgresql.org/docs, "Logical Replication Message Formats"). */
export type WalMessage =
  | { readonly kind: 'begin'; readonly commit: bigint; readonly at: bigint; readonly xid: number }
  | { readonly kind: 'commit'; readonly end: bigint }
  | { readonly kind: 'relation'; readonly relation: WalRelation }
  | { readonly kind: 'insert'; readonly relation: number; readonly row: WalRow }
  /** `old` is the row before, or its key alone; absent where that has not changed. */
  | { readonly kind: 'update'; readonly relation: number; readonly old: WalRow | undefined; readonly row: WalRow }
  | { readonly kind: 'delete'; readonly relation: number; readonly old: WalRow }
  | { readonly kind: 'truncate'; readonly relations: readonly number[] }
  | { readonly kind: 'message'; readonly prefix: string; readonly content: string }
  | { readonly kind: 'other' };

/**
 * Reads one message.
 * @param wanted which columns of a table are; the text of others is not made
 */
export function decode(bytes: Buffer, wanted: (relation: number) => readonly boolean[] | undefined): WalMessage {
  const reader = new Reader(bytes);
  switch (reader.letter()) {
    case 'B':
      return { kind: 'begin', commit: reader.int64(), at: reader.int64(), xid: reader.int32() };
    case 'C':
      reader.skip(9);
      return { kind: 'commit', end: reader.int64() };
    case 'R':
      return { kind: 'relation', relation: readRelation(reader) };
    case 'I': {
      const relation = reader.int32();
      reader.skip(1);
      return { kind: 'insert', relation, row: readRow(reader, wanted(relation)) };
    }
    case 'U': {
      const relation = reader.int32();
      const old = reader.letter() === 'N' ? undefined : readRow(reader, wanted(relation));
      if (old !== undefined) reader.skip(1);
      return { kind: 'update', relation, old, row: readRow(reader, wanted(relation)) };
    }
    case 'D': {
      const relation = reader.int32();
      reader.skip(1);
      return { kind: 'delete', relation, old: readRow(reader, wanted(relation)) };
    }
    case 'T': {
      const count = reader.int32();
      reader.skip(1);
      return { kind: 'truncate', relations: Array.from({ length: count }, () => reader.int32()) };
    }
    case 'M': {
      reader.skip(9);
      const prefix = reader.text();
      return { kind: 'message', prefix, content: reader.string(reader.int32()) };
    }
    default:
      return { kind: 'other' };
  }
}

function readRelation(reader: Reader): WalRelation {
  const id = reader.int32();
  // An empty name stands for pg_catalog, whose tables are never published.
  const schema = reader.text();
  const table = reader.text();
  const full = reader.letter() === 'f';
  const columns = Array.from({ length: reader.int16() }, () => ({
    key: reader.int8() === 1,
    name: reader.text(),
    type: reader.int32(),
    modifier: reader.int32() | 0,
  }));
  return { id, schema, table, full, columns };
}

function readRow(reader: Reader, wanted: readonly boolean[] | undefined): WalRow {
  const count = reader.int16();
  const row: (string | null | undefined)[] = Array.from({ length: count });
  for (let n = 0; n < count; n += 1) {
    const kind = reader.letter();
    if (kind === 'n') row[n] = null;
    if (kind !== 't') continue;
    const length = reader.int32();
    if (wanted?.[n] === true) row[n] = reader.string(length);
    else reader.skip(length);
  }
  return row;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  letter(): string {
    return String.fromCharCode(this.int8());
  }

  int8(): number {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  /** Up to its zero. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const found = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return found;
  }

  string(length: number): string {
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }
}
