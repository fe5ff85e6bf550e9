import { databaseError } from '../cli/database-error.ts';
import { readInstalled } from '../cli/installed.ts';
import type { ApiSource, Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { createFields } from '../engine/fields.ts';
import { createLists } from '../engine/list-ids.ts';
import { resolveConfig } from '../homes/resolve-options.ts';
import { checkInstall } from '../homes/routes.ts';
import { clientOf, prepareMirror } from '../sources/api/reader.ts';
import { applyInstall } from '../sql/apply.ts';
import { attributePlan } from '../sql/compile/attribute-plan.ts';
import { inspectSources } from '../sql/inspect/sources.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { identityOf } from '../sql/store/identity.ts';
import type { Host } from './host.ts';

/** A project that does not answer is said so after a few tries. */
const API_TRIES = 4;

/** What `connectors.connect` takes. Each stands for a variable of the environment, which holds where it is absent. */
export interface ConnectOptions {
  /** `SUPABASE_URL`. */
  readonly projectUrl?: string | undefined;
  /** `SUPABASE_SECRET_KEY`, or `SUPABASE_SERVICE_ROLE_KEY`. */
  readonly serviceRoleKey?: string | undefined;
  /** `DATABASE_URL`. */
  readonly databaseUrl?: string | undefined;
  /**
   * What is installed in the database: `missing` (the default), where nothing is yet; `changed`, also where another config is
   * applied; `never`.
   */
  readonly install?: 'missing' | 'changed' | 'never' | undefined;
}

/** What came of it. */
export interface Connection {
  /** Whether there is a database: then users and tables are synced, and events and lists wait in its queue. */
  readonly durable: boolean;
  /** Whether something was installed now. */
  readonly installed: boolean;
  /** Names of the destinations. */
  readonly destinations: readonly string[];
}

/** @throws RollcallError `RC_CONNECTOR_UNKNOWN` */
export function checkConnector(name: string): void {
  if (name === 'supabase') return;
  throw new RollcallError('RC_CONNECTOR_UNKNOWN', `There is no connector "${name}".`, {
    hint: "The one there is: 'supabase'.",
  });
}

/**
 * Connects a project: reads the config, opens the database and installs what is missing there.
 * @throws RollcallError for the config, the database and the destinations; ConfigErrors
 */
export async function connect(host: Host, options: ConnectOptions): Promise<Connection> {
  const { projectUrl, serviceRoleKey, databaseUrl, install = 'missing' } = options;
  const given = { SUPABASE_URL: projectUrl, SUPABASE_SECRET_KEY: serviceRoleKey, DATABASE_URL: databaseUrl };
  host.give(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  const config = await host.config();
  const sql = await host.database();
  const destinations = config.destinations.map(({ name }) => name);
  if (sql === undefined) {
    host.log.warn(
      {},
      'no database URL: users and tables are not synced, and events and lists are sent at once (docs/sdk.md)',
    );
    return { durable: false, installed: false, destinations };
  }
  try {
    return { durable: true, installed: await ready(host, config, sql, install), destinations };
  } catch (error) {
    throw databaseError(error) ?? error;
  }
}

/** Has the database as this config needs it. @returns whether anything was installed */
async function ready(
  host: Host,
  config: Config,
  sql: Sql,
  install: NonNullable<ConnectOptions['install']>,
): Promise<boolean> {
  const found = await readInstalled(sql);
  const applied = found?.configHash ?? null;
  if (install !== 'never' && (applied === null || (install === 'changed' && applied !== config.hash))) {
    await installAll(host, config, sql);
    return true;
  }
  await checkInstall(sql, identityOf(config));
  return false;
}

/** The tables that a project is read into by its API. */
async function prepare(
  config: Config,
  api: ApiSource,
  parts: Pick<Host, 'send' | 'log'> & { sql: Sql },
): Promise<void> {
  const all = { config, api, ...parts };
  await prepareMirror(all, clientOf(all, new AbortController().signal, API_TRIES));
}

/** What `rollcall apply --yes` does: the fields and lists that are missing first, so that whoever sends finds them. */
async function installAll({ registry, send, log }: Host, config: Config, sql: Sql): Promise<void> {
  // It has the registry, and a module that awaits while it is loaded cannot be required.
  const { planDestinations } = await import('../cli/apply-plan.ts');
  if (config.api !== undefined) await prepare(config, config.api, { sql, send, log });
  const resolved = await resolveConfig(config, sql, await registry());
  const attributes = await sql.transaction(async (tx) => attributePlan(config, await inspectSources(tx, config)));
  for (const { fields, lists, problem } of await planDestinations(
    resolved,
    () => true,
    attributes,
    send,
    () => undefined,
  )) {
    if (problem !== undefined) throw problem;
    if (lists !== undefined && lists.create.length > 0) await createLists(lists.access, lists.create);
    if (fields !== undefined && fields.changes.create.length > 0)
      await createFields(fields.access, fields.changes.create);
  }
  await applyInstall(sql, resolved.config, refOf(config));
}
