import { formatLsn, formatTime, parseLsn } from '../../sources/wal/lsn.ts';
import type { WalState, WalMove, WalStore, WalTable } from '../../sources/wal/ports.ts';
import type { WalChunk } from '../../sources/wal/reader.ts';
import type { Identity } from './identity.ts';
import type { Sql } from '../port.ts';
import { sqlState } from '../port.ts';

interface StateRow {
  readonly wanted: boolean;
  readonly slot: string | null;
  readonly made_at?: string | null;
  readonly trouble?: WalState['trouble'];
  readonly given_up?: boolean;
  readonly busy?: boolean;
  readonly kept?: number;
  readonly at?: string | null;
  readonly place?: number | null;
  readonly us?: string | null;
  readonly version?: string;
  readonly sources?: readonly (Omit<WalTable, 'until'> & { readonly until: string | null })[];
}

/** The store of whoever reads the WAL: each method is one call of a function in the `rollcall` schema. */
export function walStore(sql: Sql, identity: Pick<Identity, 'configHash' | 'erasureKey'>): WalStore {
  const ask = async (text: string, values: readonly unknown[] = []): Promise<boolean> => {
    const [row] = await sql.query<{ done: boolean }>(`select ${text} as done`, values);
    return row?.done === true;
  };
  return {
    async state() {
      try {
        const [row] = await sql.query<{ state: StateRow }>('select rollcall.wal_state() as state');
        return row === undefined ? undefined : stateOf(row.state);
      } catch (error) {
        if (sqlState(error) === '42883') return undefined;
        throw error;
      }
    },
    make: () => ask('rollcall.wal_make()'),
    lost: (madeAt) => ask('rollcall.wal_lost($1)', [madeAt]),
    publish: () => ask('rollcall.wal_publish()'),
    takeOver: (name, read) => ask('rollcall.wal_take_over($1, $2)', [name, formatLsn(read)]),
    handBack: (name) => ask('rollcall.wal_hand_back($1)', [name]),
    giveUp: (why) => ask('rollcall.wal_give_up($1)', [why]),
    async drop() {
      await sql.query('select rollcall.wal_drop()');
    },
    end: (read) => ask('rollcall.wal_end($1)', [formatLsn(read)]),
    async written() {
      const [row] = await sql.query<{ inserted: string; flushed: string }>(
        'select pg_current_wal_insert_lsn()::text as inserted, pg_current_wal_flush_lsn()::text as flushed',
      );
      return { inserted: parseLsn(row?.inserted ?? '0/0'), flushed: parseLsn(row?.flushed ?? '0/0') };
    },
    async take(move, chunk) {
      const { keys, events, truncated, missed } = chunk;
      const [row] = await sql.query<{ taken: boolean }>(
        'select rollcall.take_wal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as taken',
        [...moveValues(move, chunk), JSON.stringify(keys), JSON.stringify(events), truncated, JSON.stringify(missed)],
      );
      return row?.taken === true ? 'log' : 'unseen';
    },
    async fold(move, chunk) {
      const [row] = await sql.query<{ taken: boolean; changed: number | null; failed: number | null }>(
        'select * from rollcall.fold_wal(rollcall.with_key($10, $11), $1, $2, $3, $4, $5, $6, $7, $8, $9)',
        [...moveValues(move, chunk), JSON.stringify(chunk.keys), identity.configHash, identity.erasureKey ?? null],
      );
      if (row?.taken !== true) return 'unseen';
      const { changed, failed } = row;
      return changed === null || failed === null ? 'log' : { changed, failed };
    },
  };
}

function moveValues({ version, from, to, time }: WalMove, { since, xids }: WalChunk): readonly unknown[] {
  return [
    version,
    formatLsn(from.at),
    from.place,
    formatLsn(to.at),
    to.place,
    formatTime(time),
    formatTime(since ?? time),
    xids,
  ];
}

function stateOf(row: StateRow): WalState {
  return {
    wanted: row.wanted,
    slot: row.slot,
    madeAt: row.made_at ?? null,
    trouble: row.trouble ?? null,
    givenUp: row.given_up ?? false,
    busy: row.busy ?? false,
    keptBytes: row.kept ?? 0,
    from: { at: parseLsn(row.at ?? '0/0'), place: row.place ?? 0 },
    time: BigInt(row.us ?? 0),
    version: row.version ?? '',
    sources: (row.sources ?? []).map(({ until, ...source }) => ({
      ...source,
      until: until === null ? undefined : parseLsn(until),
    })),
  };
}
