import { type JsonObject, renderJson } from '../../core/json.ts';
import type { Logger } from '../../engine/ports.ts';
import { type Queryable, type Script, type Sql, sqlState } from '../../sql/port.ts';
import { quoteLiteral, quoteTable } from '../../sql/quote.ts';
import type { RowKey } from './filter.ts';
import { seenTable } from './mirror-ddl.ts';
import { type MirrorSql, mirrorSql } from './mirror-sql.ts';
import type { Need } from './needs.ts';
import type { MirrorShape } from './shape.ts';
import { keyOf } from './rows.ts';
import { tableName } from '../../sql/inspect/table.ts';

/** One mirrored table, as it is written. */
export interface Part {
  readonly name: string;
  readonly shape: MirrorShape;
  readonly columns: readonly string[];
  readonly sql: MirrorSql;
  readonly seen: string;
  /** Not read whole yet: nothing is made of its changes, as who was there before did not just come. */
  quiet: boolean;
  /** Where the pass that is under way is; undefined where none is. */
  place: Place | undefined;
}

/** A place in a pass. */
export interface Place {
  /** The last key that was read. */
  readonly after: RowKey;
  /** Keys seen so far: fewer are there after a crash, and the pass begins anew. */
  readonly seen: number;
}

/** Another process has taken over the reading. */
export class NotReader extends Error {
  override readonly name = 'NotReader';
}

/** How long whoever reads is taken to be alive. */
const HELD = `interval '60 seconds'`;
/** What is wrong with a value, and not with the database: a row that cannot be kept keeps nobody from the others. */
const VALUES = /^2[23]/;

/** The state database's side of reading by the API: what differs is written, in one transaction with the place. */
export class Mirror {
  readonly #sql: Sql;
  readonly #token: string;
  readonly #log: Logger;
  parts: readonly Part[] = [];

  /** @param token of whoever reads: see `take` */
  constructor(sql: Sql, token: string, log: Logger) {
    this.#sql = sql;
    this.#token = token;
    this.#log = log;
  }

  /** Becomes the one who reads, or stays it. False while somebody else is. */
  async take(): Promise<boolean> {
    const rows = await this.#sql.query(
      `update rollcall_api.reader set token = $1, held_until = clock_timestamp() + ${HELD}
        where token = $1 or token is null or held_until < clock_timestamp() returning 1`,
      [this.#token],
    );
    return rows.length > 0;
  }

  async give(): Promise<void> {
    await this.#sql.query('update rollcall_api.reader set token = null where token = $1', [this.#token]);
  }

  /** Reads how far each table is. One of which more columns are wanted than it has is read whole before anything is made of it. */
  async open(shapes: readonly MirrorShape[], needs: ReadonlyMap<string, Need>): Promise<void> {
    const parts: Part[] = [];
    for (const shape of shapes) {
      const name = tableName(shape);
      const { columns, users } = needs.get(name) ?? { columns: shape.key, users: [] };
      const [row] = await this.#sql.query<{ id: number; loaded: boolean; place: Place | null }>(
        `update rollcall_api.sources s
            set loaded_at = case when $2::text[] <@ columns then loaded_at end, place = case when $2::text[] <@ columns then place end,
                columns = (select coalesce(array_agg(c order by c), '{}') from (select unnest($2::text[]) as c) x)
          where name = $1 returning id, loaded_at is not null as loaded, place`,
        [name, columns],
      );
      const seen = seenTable(row?.id ?? 0);
      const sql = mirrorSql(shape, columns, seen, users);
      const place = row?.place ?? undefined;
      parts.push({ name, shape, columns, sql, seen, quiet: row?.loaded !== true, place });
    }
    this.parts = parts;
  }

  /** Begins a pass, or goes on with the one under way. */
  async begin(part: Part): Promise<void> {
    await this.#mine(async (tx) => {
      const [row] = await tx.query<{ n: number }>(`select count(*)::int as n from ${part.seen}`);
      if (part.place !== undefined && row?.n === part.place.seen) return;
      part.place = undefined;
      await tx.script(`truncate ${part.seen}`);
      await tx.query('update rollcall_api.sources set place = null, began_at = clock_timestamp() where name = $1', [
        part.name,
      ]);
    });
  }

  /**
   * Writes a page of rows.
   * @param place where the pass is behind it; undefined where it is none of a pass
   * @returns how many were written
   */
  async write(part: Part, rows: readonly JsonObject[], place?: RowKey): Promise<number> {
    if (rows.length === 0) return 0;
    const text = renderJson(rows);
    try {
      return await this.#mine(async (tx) => {
        const written = await this.#writing(tx, part, () => tx.query<{ written: number }>(part.sql.write, [text]));
        if (place === undefined) return written[0]?.written ?? 0;
        await tx.query(part.sql.note, [text]);
        const [noted] = await tx.query<{ place: Place }>(
          `update rollcall_api.sources set place = jsonb_build_object('after', $2::jsonb, 'seen', (select count(*) from ${part.seen}))
            where name = $1 returning place`,
          [part.name, JSON.stringify(place)],
        );
        part.place = noted?.place;
        return written[0]?.written ?? 0;
      });
    } catch (error) {
      if (!VALUES.test(sqlState(error) ?? '')) throw error;
      if (rows.length > 1) return await this.#halves(part, rows, place);
      await this.#skip(part, rows, place !== undefined);
      this.#log.warn(
        { table: part.name, code: sqlState(error) },
        'a row has a value that the state database does not take: left out',
      );
      return 0;
    }
  }

  /** Keys of what a row leads to and is not there yet, by the name of the other table. */
  async missing(
    part: Part,
    rows: readonly JsonObject[],
  ): Promise<readonly { readonly target: string; readonly keys: readonly string[] }[]> {
    if (rows.length === 0 || part.quiet) return [];
    const text = renderJson(rows);
    const found: { target: string; keys: string[] }[] = [];
    for (const { target, sql } of part.sql.missing) {
      // A value that cannot be read is met when it is written.
      const keys = await this.#sql.query<{ key: string }>(sql, [text]).catch(() => []);
      if (keys.length > 0) found.push({ target, keys: keys.map(({ key }) => key) });
    }
    return found;
  }

  /** Keys of rows that this pass has not seen, behind a key. */
  async unseen(part: Part, after: RowKey | undefined, limit: number): Promise<readonly RowKey[]> {
    const rows = await this.#sql.query<{ key: string[] }>(part.sql.unseen, [after ?? null, limit]);
    return rows.map(({ key }) => key);
  }

  /** Keys as this database writes them: two servers may write one time, or one number, in different ways. */
  async canonical(part: Part, keys: readonly RowKey[]): Promise<readonly RowKey[]> {
    if (keys.length === 0) return [];
    const rows = await this.#sql.query<{ key: string[] }>(part.sql.keys, [keysJson(part, keys)]);
    return rows.map(({ key }) => key);
  }

  /** Where files stand, by their ids. */
  async files(
    part: Part,
    keys: readonly RowKey[],
  ): Promise<readonly { readonly key: string; readonly bucket: string; readonly name: string }[]> {
    return await this.#sql.query<{ key: string; bucket: string; name: string }>(
      `select m.id::text as key, m.bucket_id as bucket, m.name from ${quoteTable(part.shape)} m where m.id = any($1::uuid[])`,
      [keys.map(([id]) => id)],
    );
  }

  /** Removes rows that are known to be gone. */
  async remove(part: Part, keys: readonly RowKey[]): Promise<void> {
    if (keys.length === 0) return;
    await this.#mine((tx) => this.#writing(tx, part, () => tx.query(part.sql.remove, [keysJson(part, keys)])));
  }

  /** Ends a pass over everything. @returns true when the table is whole for the first time */
  async end(part: Part, complete: boolean): Promise<boolean> {
    const first = part.quiet && complete;
    await this.#mine(async (tx) => {
      await tx.query(
        `update rollcall_api.sources set place = null, passes = passes + 1, passed_at = clock_timestamp(),
                loaded_at = case when $2 then coalesce(loaded_at, clock_timestamp()) else loaded_at end,
                whole_at = case when $2 then began_at else whole_at end, rows = (select count(*) from ${part.seen})
          where name = $1`,
        [part.name, complete],
      );
      // Whoever was there before has to be looked at once, and quietly.
      if (first) await tx.script(WANT_SWEEP);
    });
    part.place = undefined;
    if (complete) part.quiet = false;
    return first;
  }

  /** Says that a whole round has begun, or ended. */
  async round(what: 'began' | 'ended'): Promise<void> {
    await this.#mine((tx) => tx.query(`update rollcall_api.reader set ${what}_at = clock_timestamp()`));
  }

  async seenCount(part: Part): Promise<number> {
    const [row] = await this.#sql.query<{ n: number }>(`select count(*)::int as n from ${part.seen}`);
    return row?.n ?? 0;
  }

  async #halves(part: Part, rows: readonly JsonObject[], place: RowKey | undefined): Promise<number> {
    const middle = Math.ceil(rows.length / 2);
    // The place is that of the whole page, and so written with its last row.
    const first = await this.write(
      part,
      rows.slice(0, middle),
      place === undefined ? undefined : (part.place?.after ?? place),
    );
    return first + (await this.write(part, rows.slice(middle), place));
  }

  /** It was seen, so it is not gone; what was kept of it before stays. */
  async #skip(part: Part, rows: readonly JsonObject[], pass: boolean): Promise<void> {
    const keys = rows.map((row) => keyOf(part.shape, row));
    await this.#mine(async (tx) => {
      await tx.query('update rollcall_api.sources set skipped = skipped + 1 where name = $1', [part.name]);
      if (!pass) return;
      for (const key of keys) await tx.query(`insert into ${part.seen} values ($1) on conflict do nothing`, [key]);
    });
  }

  async #writing<T>(tx: Queryable & Script, part: Part, work: () => Promise<T>): Promise<T> {
    if (!part.quiet) {
      const result = await work();
      await tx.script(dateChanges(part.name));
      return result;
    }
    const table = quoteTable(part.shape);
    await tx.script(`alter table ${table} disable trigger user`);
    const result = await work();
    await tx.script(`alter table ${table} enable trigger user`);
    return result;
  }

  /** A transaction of whoever reads. @throws NotReader when that is somebody else by now */
  #mine<T>(work: (tx: Queryable & Script) => Promise<T>): Promise<T> {
    return this.#sql.transaction(async (tx) => {
      const held = await tx.query(
        `update rollcall_api.reader set held_until = clock_timestamp() + ${HELD} where token = $1 returning 1`,
        [this.#token],
      );
      if (held.length === 0) throw new NotReader();
      return await work(tx);
    });
  }
}

/** Where nothing is installed yet, the install's own first sweep does it. */
const WANT_SWEEP = `do $$ begin
  if to_regprocedure('rollcall.want_sweep(text, text)') is not null then perform rollcall.want_sweep('config', null); end if;
end $$`;

/** A change was made at some time since the table was last read whole, and not when we came to it. */
function dateChanges(name: string): string {
  return `do $$ begin
  if to_regprocedure('rollcall.date_changes(timestamptz)') is not null then
    perform rollcall.date_changes(s.whole_at) from rollcall_api.sources s where s.name = ${quoteLiteral(name)};
  end if;
end $$`;
}

function keysJson({ shape }: Part, keys: readonly RowKey[]): string {
  return JSON.stringify(keys.map((key) => Object.fromEntries(shape.key.map((column, n) => [column, key[n] ?? '']))));
}
