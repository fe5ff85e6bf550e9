/** A row as the driver returns it: `bigint`, `numeric` and times come as text, so that nothing is rounded. */
export type Row = Readonly<Record<string, unknown>>;

/** What runs one statement. */
export interface Queryable {
  /**
   * Runs one statement with parameters `$1`, `$2`...
   * @throws the driver's error; `sqlState(error)` tells which
   */
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
}

/** The port to Postgres. Safe behind a transaction-mode pooler: no session state is relied on. */
export interface Sql extends Queryable {
  /** Runs `work` in one READ COMMITTED transaction; rolled back when it throws. */
  transaction<T>(work: (tx: Queryable & Script) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotify` for each NOTIFY on a channel, over its own connection, until closed. A lost connection is `onLost`.
   * @throws NotHeard where a NOTIFY does not arrive: a pooler in transaction mode takes LISTEN, and that is all
   */
  listen(channel: string, onNotify: () => void, onLost: () => void): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

/** LISTEN was accepted, and a NOTIFY did not arrive. */
export class NotHeard extends Error {
  readonly code = 'not_heard';
}

/** What runs several statements at once, without parameters. */
export interface Script {
  script(text: string): Promise<void>;
}

/** The SQLSTATE of a driver error, or undefined when the error is none of the database's. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
