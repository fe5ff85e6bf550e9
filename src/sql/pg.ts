import pg from 'pg';
import { NotHeard, type Queryable, type Row, type Script, type Sql } from './port.ts';
import { connectionTarget } from './tls.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 120_000;
/** Of a connection that rests: then the system asks every second, ten times (libuv), whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;
/** The server gives up a little before we do, so that nothing goes on there that nobody waits for. */
const SERVER_SHARE = 0.9;
const LOCK_TIMEOUT_MS = 30_000;
/** A NOTIFY of our own takes a millisecond, on a busy server some. */
const HEARD_MS = 5_000;

// Type ids of pg_type. Everything else comes as text: a JavaScript number or Date would round it.
const PARSED = new Set([16, 21, 23, 700, 701, 114, 3802, 1005, 1007, 1009, 1015]);
const asText = (value: string): string => value;
const parserOf = pg.types.getTypeParser as (id: number, format?: string) => unknown;
const types = {
  getTypeParser: (id: number, format?: string) => (PARSED.has(id) ? parserOf(id, format) : asText),
} as pg.CustomTypesConfig;

export interface PgOptions {
  readonly url: string;
  /** PEM text of the certificate authority that signed the server's certificate. */
  readonly sslRootCert?: string | undefined;
  /** Most connections. */
  readonly max?: number;
  readonly applicationName?: string;
  /** Told the text of each query, never its values. */
  readonly onQuery?: ((text: string) => void) | undefined;
  /** Longest wait for a connection, in ms. */
  readonly connectMs?: number;
  /** Longest that one statement may take before its connection is given up, in ms. */
  readonly queryMs?: number;
}

/**
 * Opens the port to Postgres over node-postgres. Connections are made when first used.
 * @throws RollcallError `RC_DATABASE_URL` when the URL is not one, `RC_DATABASE_TLS` when it asks for unverified TLS
 */
export function openPg(options: PgOptions): Sql {
  const target = connectionTarget(options.url, options.sslRootCert);
  const config: pg.ClientConfig = {
    connectionString: target.url,
    ssl: target.ssl,
    application_name: options.applicationName ?? 'rollcall',
    connectionTimeoutMillis: options.connectMs ?? CONNECT_TIMEOUT_MS,
    query_timeout: options.queryMs ?? QUERY_TIMEOUT_MS,
    types,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  };
  const pool = new pg.Pool({
    ...config,
    max: options.max ?? 6,
    idleTimeoutMillis: 30_000,
    verify: (client, done) => void boundSession(client, options.queryMs ?? QUERY_TIMEOUT_MS, done),
  });
  // An idle connection that dies is replaced; the next query says if the database is gone.
  pool.on('error', () => undefined);
  // The pool watches over a connection while it rests, a query while it runs. One that is lost in between, as while it is made ready,
  // would end the process.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return {
    query(text, values) {
      options.onQuery?.(text);
      return run(pool, text, values);
    },
    async transaction(work) {
      const client = await pool.connect();
      let broken = false;
      // A connection that is lost between two statements has nobody else to tell; the next statement fails.
      const onError = (): void => {
        broken = true;
      };
      client.on('error', onError);
      try {
        await client.query('begin isolation level read committed');
        const result = await work(session(client, options.onQuery));
        await client.query('commit');
        return result;
      } catch (error) {
        await client.query('rollback').catch(() => {
          broken = true;
        });
        throw error;
      } finally {
        client.removeListener('error', onError);
        client.release(broken);
      }
    },
    async listen(channel, onNotify, onLost) {
      const client = new pg.Client(config);
      let closed = false;
      const lost = (): void => {
        if (closed) return;
        closed = true;
        client.end().catch(() => undefined);
        onLost();
      };
      client.on('error', lost);
      client.on('end', lost);
      client.on('notification', onNotify);
      try {
        options.onQuery?.(`listen ${channel}`);
        await client.connect();
        await client.query(`listen ${client.escapeIdentifier(channel)}`);
        await hearing(client, pool, channel);
      } catch (error) {
        closed = true;
        client.end().catch(() => undefined);
        throw error;
      }
      return {
        async close() {
          closed = true;
          await client.end().catch(() => undefined);
        },
      };
    },
    close: () => pool.end(),
  };
}

/**
 * A pooler in transaction mode gives the connection that listens to the next one who asks, so that we would wait for ever. So one
 * NOTIFY is sent, over another connection: over the same one it might be told together with its own answer.
 * @throws NotHeard when it does not arrive
 */
async function hearing(client: pg.Client, pool: pg.Pool, channel: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const heard = new Promise<boolean>((resolve) => {
    client.once('notification', () => resolve(true));
    timer = setTimeout(() => resolve(false), HEARD_MS);
  });
  try {
    await pool.query('select pg_notify($1, $2)', [channel, '']);
    if (!(await heard)) throw new NotHeard('a NOTIFY did not arrive');
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Bounds what a session of ours takes at the server: statements, waits for locks, and transactions in which nothing happens. Only a
 * session that is ours alone: behind a pooler, where the process is another one than the greeting said, what is set for a session
 * meets whoever gets it next, and what is asked for at the start is refused (PgBouncer, `ignore_startup_parameters`). There our
 * own clock ends a statement, with what is set for the role. A shorter time that was set for the role stays.
 */
async function boundSession(client: pg.ClientBase, queryMs: number, done: (error?: Error) => void): Promise<void> {
  const serverMs = Math.round(queryMs * SERVER_SHARE);
  try {
    await client.query(
      `select set_config(s.name, w.ms, false)
       from (values ('statement_timeout', $2), ('lock_timeout', $3), ('idle_in_transaction_session_timeout', $2)) as w(name, ms)
       join pg_settings s on s.name = w.name
      where pg_backend_pid() = $1 and s.setting::bigint not between 1 and w.ms::bigint`,
      [
        (client as unknown as { readonly processID: number | null }).processID,
        String(serverMs),
        String(Math.min(LOCK_TIMEOUT_MS, serverMs)),
      ],
    );
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}

function session(client: pg.ClientBase, onQuery: PgOptions['onQuery']): Queryable & Script {
  return {
    query(text, values) {
      onQuery?.(text);
      return run(client, text, values);
    },
    async script(text) {
      // Generated from the config, whose texts may stand in it.
      onQuery?.(`(a script of ${text.length} characters)`);
      await client.query(text);
    },
  };
}

async function run<R extends Row>(
  on: pg.Pool | pg.ClientBase,
  text: string,
  values?: readonly unknown[],
): Promise<R[]> {
  // With an empty list of values node-postgres falls back to the simple protocol, which would run several statements.
  const result = await on.query({
    text,
    values: values === undefined ? [] : [...values],
    queryMode: 'extended',
  } as pg.QueryConfig);
  return result.rows as R[];
}
