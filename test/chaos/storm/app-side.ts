import pg from 'pg';
import { pause } from '../../../src/engine/wake.ts';
import { Historian, type History } from '../interleaving/history.ts';
import { sharedNow } from './exchange.ts';

/** What the app may be told: two of its own transactions wanted the same. */
const EXPECTED = new Set(['23505', '23503', '40P01', '40001']);
/** Longest that it tries to reach the database again. */
const RECONNECT_MS = 20_000;

/** The app: one connection that does one thing after another, and looks at what was committed. */
export interface AppSide {
  /** What it was told while the database was there, and must not have been told. */
  readonly errors: readonly string[];
  /** The longest a statement took while the database was there, in ms. */
  readonly longestMs: number;
  /** @param isUp whether the database is there now, so that every failure counts */
  run(sql: string, turn: number, isUp: () => boolean): Promise<void>;
  query<R extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly R[]>;
  history(): Promise<History>;
  close(): Promise<void>;
}

export async function openAppSide(url: string): Promise<AppSide> {
  let client = await connect(url);
  const historian = new Historian({ query: (sql: string) => client.query(sql) } as pg.Client);
  const errors: string[] = [];
  let longestMs = 0;
  const again = async (): Promise<void> => {
    await client.end().catch(() => undefined);
    const until = sharedNow() + RECONNECT_MS;
    for (;;) {
      try {
        client = await connect(url);
        return;
      } catch (error) {
        if (sharedNow() > until) throw error;
        await pause(50);
      }
    }
  };
  /** Does it again on a new connection when the old one is gone. */
  const insist = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!isGone(error)) throw error;
      await again();
      return await insist(work);
    }
  };
  const app: AppSide = {
    errors,
    get longestMs() {
      return longestMs;
    },
    async run(sql, turn, isUp) {
      const wasUp = isUp();
      const from = sharedNow();
      try {
        await client.query(`set oracle.turn = '${turn}'; ${sql}`);
        if (wasUp && isUp()) longestMs = Math.max(longestMs, sharedNow() - from);
      } catch (error) {
        const code = (error as { code?: string }).code ?? '';
        if (EXPECTED.has(code)) return;
        // A connection that was lost while it rested, as by a stop that is over: nothing was asked.
        const asked = !/not queryable/.test(String(error));
        if (asked && wasUp && isUp())
          errors.push(`${code} ${String(error)}: ${sql.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
        if (isGone(error)) await again();
      }
      await insist(() => historian.look());
    },
    query: async <R extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<readonly R[]> =>
      await insist(async () => (await client.query<R>(sql, [...values])).rows),
    history: () => insist(() => historian.whole()),
    close: () => client.end().catch(() => undefined),
  };
  await historian.look();
  return app;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Whether the connection is gone, and with it what was asked (SQLSTATE classes 08 and 57P0, and Node's own). */
function isGone(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^(?:08|57P0|ECONN|EPIPE)/.test(code) || /terminated|not queryable|closed|timeout/i.test(message);
}
