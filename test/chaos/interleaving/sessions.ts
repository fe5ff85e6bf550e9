import pg from 'pg';
import type { ControlKind } from './scenario.ts';
import type { Statement } from './statements.ts';

/** What became of one command of the app. */
export interface Done {
  /** True when something was committed by it. */
  readonly committed: boolean;
  /** Rows, `-` when there was nothing to do, or the SQLSTATE that undid it. */
  readonly outcome: string;
}

/** A connection of the app with at most one open transaction. */
export interface Session {
  readonly name: string;
  /** Whether its open transaction keeps everybody from reading a table. */
  readonly locksTable: boolean;
  control(kind: ControlKind, choice: number): Promise<Done>;
  run(statement: Statement, turn: number): Promise<Done>;
  /** Ends what is open. */
  finish(commit: boolean): Promise<Done>;
  close(): Promise<void>;
}

/** What happens to transactions that meet: the app has to live with these. Anything else is a failure. */
const EXPECTED = new Set([
  '55P03', // lock_timeout: another transaction has the row
  '40P01',
  '40001',
  '23505',
  '23503',
  '21000', // MERGE or ON CONFLICT would touch one row twice
  '0A000', // COPY FROM under row security
]);

const ISOLATION = ['read committed', 'read committed', 'read committed', 'repeatable read', 'serializable'] as const;

/** Settings people have: none may change what is captured. The last is the role of Supabase Auth, with little else. */
const SETTINGS: readonly (readonly string[])[] = [
  [],
  [`set timezone = 'Asia/Kolkata'`, `set datestyle = 'German, DMY'`, `set intervalstyle = 'sql_standard'`],
  [`set timezone = 'America/New_York'`, `set extra_float_digits = -5`, `set standard_conforming_strings = off`],
  [`set role supabase_auth_admin`, `set bytea_output = 'escape'`],
];

/** @param index which of the sets of settings it has */
export async function openSession(url: string, index: number): Promise<Session> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  for (const setting of [`set lock_timeout = '60ms'`, ...(SETTINGS[index] ?? [])]) await client.query(setting);
  return new AppSession(`s${index}`, client);
}

class AppSession implements Session {
  readonly name: string;
  readonly #client: pg.Client;
  #open = false;
  #locksTable = false;
  #savepoints = 0;

  constructor(name: string, client: pg.Client) {
    this.name = name;
    this.#client = client;
  }

  get locksTable(): boolean {
    return this.#locksTable;
  }

  async control(kind: ControlKind, choice: number): Promise<Done> {
    if (kind === 'begin') {
      if (this.#open) return NOTHING;
      await this.#client.query(`begin isolation level ${ISOLATION[choice % ISOLATION.length]}`);
      this.#open = true;
      return { committed: false, outcome: 'begun' };
    }
    if (!this.#open) return NOTHING;
    switch (kind) {
      case 'commit':
        return await this.finish(true);
      case 'rollback':
        return await this.finish(false);
      case 'savepoint':
        await this.#client.query(`savepoint p${this.#savepoints}`);
        this.#savepoints += 1;
        return { committed: false, outcome: 'done' };
      case 'rollbackTo':
        return await this.#toSavepoint('rollback to savepoint');
      case 'release':
        return await this.#toSavepoint('release savepoint');
    }
  }

  async run(statement: Statement, turn: number): Promise<Done> {
    try {
      await this.#client.query(`select set_config('oracle.turn', '${turn}', false)`);
      const result = await send(this.#client, statement);
      this.#locksTable ||= this.#open && statement.sql.startsWith('truncate');
      return { committed: !this.#open, outcome: String(result) };
    } catch (error) {
      return await this.#undo(error);
    }
  }

  async finish(commit: boolean): Promise<Done> {
    if (!this.#open) return NOTHING;
    this.#open = false;
    this.#locksTable = false;
    this.#savepoints = 0;
    if (!commit) {
      await this.#client.query('rollback');
      return { committed: false, outcome: 'rolled back' };
    }
    try {
      await this.#client.query('commit');
      return { committed: true, outcome: 'committed' };
    } catch (error) {
      return { committed: false, outcome: expected(error) };
    }
  }

  async close(): Promise<void> {
    await this.#client.end();
  }

  async #toSavepoint(command: string): Promise<Done> {
    if (this.#savepoints === 0) return NOTHING;
    this.#savepoints -= 1;
    await this.#client.query(`${command} p${this.#savepoints}`);
    return { committed: false, outcome: 'done' };
  }

  /** A failed statement ends its transaction, or goes back to the last savepoint. */
  async #undo(error: unknown): Promise<Done> {
    const outcome = expected(error);
    if (!this.#open) return { committed: false, outcome };
    if (this.#savepoints === 0 || outcome === '40001') {
      await this.finish(false);
      return { committed: false, outcome: `${outcome}, rolled back` };
    }
    await this.#toSavepoint('rollback to savepoint');
    return { committed: false, outcome: `${outcome}, back to savepoint` };
  }
}

const NOTHING: Done = { committed: false, outcome: '-' };

function expected(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && EXPECTED.has(code)) return code;
  throw error;
}

/** @returns rows it touched */
async function send(client: pg.Client, { sql, copy }: Statement): Promise<number> {
  if (copy === undefined) return (await client.query(sql)).rowCount ?? 0;
  return await new Promise<number>((resolve, reject) => {
    // Takes its callback as the last argument, as every query of the driver does.
    const query = new CopyIn(sql, copy, (error: Error | null, result?: { rowCount: number | null }) => {
      if (error === null) resolve(result?.rowCount ?? 0);
      else reject(error);
    });
    client.query(query as unknown as pg.Submittable);
  });
}

interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

// The driver's own query answers a COPY with a failure; this one has the rows ready.
class CopyIn extends (pg.Query as unknown as new (
  text: string,
  values: unknown,
  callback: (error: Error | null, result?: { rowCount: number | null }) => void,
) => object) {
  readonly #rows: string;

  constructor(
    sql: string,
    rows: string,
    callback: (error: Error | null, result?: { rowCount: number | null }) => void,
  ) {
    super(sql, undefined, callback);
    this.#rows = rows;
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(Buffer.from(this.#rows));
    connection.endCopyFrom();
  }
}
