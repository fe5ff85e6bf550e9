import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { registry } from '../../src/destinations/registry.ts';
import type { Logger } from '../../src/engine/ports.ts';
import { runWorker, type WorkerOptions } from '../../src/homes/worker.ts';
import { startSandbox, type Sandbox, type SandboxOptions } from './mailtrap-sandbox.ts';
import { projectRef } from '../../src/sql/project-ref.ts';
import { createDatabase, onCleanup, type TestDatabase } from './database.ts';
import { install } from './install.ts';
import { PATIENCE_MS } from './people.ts';

/** A database, a sandbox and a config that joins them; workers on demand. */
export interface World {
  readonly db: TestDatabase;
  readonly sandbox: Sandbox;
  readonly config: Config;
  /** The text of `config`. */
  readonly yaml: string;
  /** Everything workers of this world logged. */
  readonly logs: readonly string[];
  /** Starts a worker in this process; `stop` resolves when it has ended, and rejects with what ended it. */
  start(config?: Config, options?: Pick<WorkerOptions, 'times' | 'health' | 'patience'>): Promise<RunningWorker>;
  /** Signs a person up; returns the id. */
  signUp(email: string, metadata?: object, more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Waits until nothing is due and the log is folded. */
  settled(timeoutMs?: number): Promise<void>;
  status(): Promise<Status>;
}

export interface RunningWorker {
  readonly ended: Promise<void>;
  readonly healthPort: number | undefined;
  stop(): Promise<void>;
}

export interface Status {
  readonly sweep_wanted: boolean;
  readonly sources: readonly { readonly pause_code: string | null; readonly pause_message: string | null }[];
  readonly destinations: readonly {
    readonly name: string;
    readonly pending: number;
    readonly brakes: readonly { readonly kind: string; readonly held: number }[];
    readonly in_step: number;
    readonly failed: number;
    readonly pause_code: string | null;
    readonly causes: readonly { readonly code: string; readonly stage: string; readonly count: number }[];
    readonly skipped: Readonly<Record<string, number>>;
  }[];
}

export interface WorldOptions {
  readonly sandbox?: SandboxOptions;
  /** YAML of `user_mapping`, indented by nothing. */
  readonly mapping?: string;
  /** More YAML under `connectors.supabase`, indented by nothing. */
  readonly connector?: string;
  /** Makes the project's tables before the install; everything in `public` is given to the hosted role. */
  readonly ddl?: string;
  /** YAML of `consent`. */
  readonly consent?: string;
  /** More lines of the destination, indented by nothing. */
  readonly destination?: string;
  /** How many times the vendor's limits the worker may send; 10,000 when absent. */
  readonly limitsScale?: number;
  /** Grace of an attempt of unknown outcome; `300ms` when absent. */
  readonly grace?: string;
  /** YAML of `destinations` in place of Mailtrap, indented by nothing; its sandbox is the test's own. */
  readonly instead?: string;
  /** YAML of further destinations, indented by nothing. */
  readonly destinations?: string;
  /** More top-level YAML. */
  readonly more?: string;
  /** The API's base URL when it is not the sandbox's own. */
  readonly baseUrl?: (sandbox: Sandbox) => Promise<string>;
  /** Use this database instead of a fresh one. */
  readonly db?: TestDatabase;
  /** Leave the install to the test. */
  readonly install?: boolean;
  /** Fields to create at the sandbox. */
  readonly fields?: Readonly<Record<string, 'text' | 'integer' | 'float' | 'boolean' | 'date'>>;
}

const DEFAULT_FIELDS: NonNullable<WorldOptions['fields']> = { FIRSTNAME: 'text', N: 'text' };

const DEFAULT_MAPPING = `unconfirmed: true
email: email
user_metadata.full_name: FIRSTNAME
user_metadata.n: N`;

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const db = options.db ?? (await createDatabase(options.install !== false));
  const sandbox = await startSandbox({ limitsScale: 10_000, ...options.sandbox });
  onCleanup(() => sandbox.close());
  for (const [name, type] of Object.entries(options.fields ?? DEFAULT_FIELDS)) sandbox.state.addField(name, type);
  const baseUrl = (await options.baseUrl?.(sandbox)) ?? sandbox.apiUrl;
  const yaml = worldYaml(options, db.hostedUrl, { token: sandbox.token, apiUrl: baseUrl });
  const config = parseWorld(yaml);
  if (options.ddl !== undefined) {
    await db.app.query(options.ddl);
    await db.app.query('grant all on all tables in schema public to hosted');
  }
  if (options.install !== false) await install(db, config, projectRef(db.hostedUrl, undefined));
  const logs: string[] = [];
  const log = recorder(logs);
  return {
    db,
    sandbox,
    config,
    yaml,
    logs,
    async start(use = config, more = {}) {
      const stop = new AbortController();
      let healthPort: number | undefined;
      let ready: (() => void) | undefined;
      const started = new Promise<void>((resolve) => {
        ready = resolve;
      });
      const onReady: WorkerOptions['onReady'] = (found) => {
        healthPort = found.healthPort;
        ready?.();
      };
      const ended = runWorker({ config: use, log, onReady, ...more }, stop.signal);
      ended.catch(() => undefined);
      await Promise.race([started, ended]);
      const running = {
        ended,
        healthPort,
        async stop() {
          stop.abort();
          await ended;
        },
      };
      onCleanup(async () => {
        stop.abort();
        await ended.catch(() => undefined);
      });
      return running;
    },
    async signUp(email, metadata = {}, more = {}) {
      const id = randomUUID();
      const columns = Object.keys(more);
      await db.app.query(
        `insert into auth.users (id, email, raw_user_meta_data, created_at ${columns.map((c) => `, "${c}"`).join('')})
         values ($1, $2, $3, now() ${columns.map((_, i) => `, $${i + 4}`).join('')})`,
        [id, email, JSON.stringify(metadata), ...columns.map((c) => more[c])],
      );
      return id;
    },
    async settled(timeoutMs = PATIENCE_MS) {
      const deadline = performance.now() + timeoutMs;
      await readSoFar(db, deadline);
      for (;;) {
        const { rows } = await db.app.query<{ due: number; unfolded: boolean }>(UNSETTLED);
        const row = rows[0];
        if (row?.due === 0 && !row.unfolded) return;
        if (performance.now() > deadline) throw new Error(`not settled in ${timeoutMs} ms: ${JSON.stringify(row)}`);
        await once(AbortSignal.timeout(20), 'abort');
      }
    },
    async status() {
      const { rows } = await db.app.query<{ status: Status }>('select rollcall.status() as status');
      return rows[0]!.status;
    },
  };
}

/** Waits until what is committed by now was read, where that is from the WAL: the reader tells the server how far it is. */
async function readSoFar({ app }: TestDatabase, deadline: number): Promise<void> {
  const { rows } = await app.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  for (;;) {
    const { rowCount } = await app.query(
      `select from rollcall.wal w where w.slot is not null and not exists (select from pg_replication_slots s
         join pg_stat_replication r on r.pid = s.active_pid where s.slot_name = w.slot and r.write_lsn >= $1)`,
      [rows[0]?.lsn],
    );
    if (rowCount === 0) return;
    if (performance.now() > deadline) throw new Error('the write-ahead log is not read');
    await once(AbortSignal.timeout(20), 'abort');
  }
}

/** Something is due, or a committed change is not folded yet. */
const UNSETTLED = `
  select (select count(*) from rollcall.due)::int as due,
         exists (select from (select xid from rollcall.changes_0 union all select xid from rollcall.changes_1
                              union all select xid from rollcall.changes_2) c,
                        (select lo from rollcall.fold_position order by id desc limit 1) p
                  where not pg_visible_in_snapshot(c.xid, p.lo))
         or rollcall.uncaptured_count() <> (select uncaptured_seen from rollcall.install) as unfolded`;

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

export function worldYaml(
  options: WorldOptions,
  databaseUrl: string,
  sandbox: Pick<Sandbox, 'token' | 'apiUrl'>,
): string {
  return `database_url: ${JSON.stringify(databaseUrl)}
environment: test
connectors:
  supabase:
    sync: { users: true }
    user_mapping:
${indent(options.mapping ?? DEFAULT_MAPPING, 6)}
${indent(options.connector ?? '', 4)}
destinations:
${indent(options.instead ?? mailtrapYaml(options, sandbox), 2)}
${indent(options.destinations ?? '', 2)}
consent: ${options.consent ?? '{ everyone: "they agreed to the terms" }'}
delivery: { grace: ${options.grace ?? '300ms'} }
${options.more ?? ''}
`;
}

function mailtrapYaml(options: WorldOptions, sandbox: Pick<Sandbox, 'token' | 'apiUrl'>): string {
  return `mailtrap:
  api_token: ${sandbox.token}
  base_url: ${sandbox.apiUrl}
  limits_scale: ${options.limitsScale ?? 10_000}
${indent(options.destination ?? '', 2)}`;
}

export function parseWorld(yaml: string): Config {
  return parseConfig(yaml, { file: 'rollcall.yaml', env: {}, registry });
}

function recorder(logs: string[]): Logger {
  const add =
    (level: string) =>
    (fields: object, message: string): void => {
      logs.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return { error: add('error'), warn: add('warn'), info: add('info'), debug: add('debug') };
}
