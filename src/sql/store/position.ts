import { type Queryable, sqlState } from '../port.ts';

/**
 * The latest write position that this process has seen of its database, and when the install was bound then. After a restore in
 * place nothing in the database tells that it went back; whoever was running can.
 */
export interface Position {
  /** As `pg_lsn` text; null before the first look. */
  readonly lsn: string | null;
  readonly boundAt: string | null;
  /** Notes what was seen. Only what is newer counts: after a restore the old knowledge must not be lost. */
  saw(lsn: string, boundAt: string | null): void;
}

/** SQL of the columns that `saw` takes. Flushed, as what is not may be lost in a crash, which is no restore. */
export const POSITION_COLUMNS = `pg_current_wal_flush_lsn()::text as lsn,
       (select to_char(i.bound_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from rollcall.install i) as bound_at`;

export function createPosition(): Position {
  let lsn: string | null = null;
  let boundAt: string | null = null;
  return {
    get lsn() {
      return lsn;
    },
    get boundAt() {
      return boundAt;
    },
    saw(seen, bound) {
      // A text of fixed width: its order is that of time.
      if (bound !== null && (boundAt === null || bound > boundAt)) {
        // Bound anew since: positions of before say nothing.
        boundAt = bound;
        lsn = seen;
      } else if (bound === boundAt && (lsn === null || number(seen) > number(lsn))) lsn = seen;
    },
  };
}

function number(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** Runs what checks the position; when it went back, all other workers and `status` are told. */
export async function noteSetBack<T>(sql: Queryable, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    const { detail } = error as { detail?: string };
    if (sqlState(error) === 'RC002' && /\bposition\b/.test(detail ?? '')) {
      // Should that fail, each worker that was running finds out by itself.
      await sql.query('select rollcall.note_set_back()').catch(() => undefined);
    }
    throw error;
  }
}
