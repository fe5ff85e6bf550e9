import type { Config, DestinationConfig } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import { registry } from '../destinations/registry.ts';
import type { AdoptOptions } from '../engine/adopt.ts';
import type { RecoverStore } from '../engine/remote-ports.ts';
import { configured } from '../homes/configured.ts';
import { resolveOptions } from '../homes/resolve-options.ts';
import { identityOf } from '../sql/store/identity.ts';
import type { Sql } from '../sql/port.ts';
import { createRemoteStore } from '../sql/store/remote.ts';
import { createStore } from '../sql/store/store.ts';
import { createTableReader } from '../transport/table.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { remoteProgress } from './remote-progress.ts';

/** A destination to read; also told what becomes of it. */
export interface RemoteSession {
  readonly access: AdoptOptions;
  /** Ends the line of progress. */
  readonly done: () => void;
}

/**
 * Opens what reading destinations takes, for some work, and closes it again. A destination whose secrets Vault does not give
 * is among the problems instead.
 * @param names of the destinations to read; all when undefined
 * @throws RollcallError `RC_DESTINATION_UNKNOWN`
 */
export async function withRemote<T>(
  {
    cli,
    config,
    sql,
    names,
    check = [],
  }: {
    readonly cli: Cli;
    readonly config: Config;
    readonly sql: Sql;
    readonly names: readonly string[] | undefined;
    /** More names that must be those of destinations. */
    readonly check?: readonly string[] | undefined;
  },
  work: (
    sessions: readonly RemoteSession[],
    store: RecoverStore,
    problems: ReadonlyMap<string, RollcallError>,
  ) => Promise<T>,
): Promise<T> {
  const identity = identityOf(config);
  const remote = createRemoteStore(sql, createStore(sql, identity), identity);
  const transport = createUndiciSend();
  const tables = createTableReader();
  try {
    const states = await remote.destinations();
    checkNames(
      [...(names ?? []), ...check],
      states.map(({ name }) => name),
    );
    const sessions: RemoteSession[] = [];
    const problems = new Map<string, RollcallError>();
    for (const state of states) {
      const found = configured(config, state.name, registry);
      if (found === undefined || names?.includes(state.name) === false) continue;
      const options = await resolved(found.entry, sql);
      if ('problem' in options) {
        problems.set(state.name, options.problem);
        continue;
      }
      const progress = remoteProgress(cli, state.name);
      const access = {
        destination: found.destination,
        config: options.ready,
        state,
        store: remote,
        send: transport.send,
        readTable: tables.read,
      };
      sessions.push({ access: { ...access, onProgress: progress.show }, done: progress.done });
    }
    return await work(sessions, remote, problems);
  } finally {
    await Promise.all([transport.close(), tables.close()]);
  }
}

type Options = { readonly ready: unknown } | { readonly problem: RollcallError };

async function resolved(entry: DestinationConfig, sql: Sql): Promise<Options> {
  try {
    return { ready: await resolveOptions(entry, sql, registry) };
  } catch (error) {
    if (error instanceof RollcallError) return { problem: error };
    throw error;
  }
}

function checkNames(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new RollcallError('RC_DESTINATION_UNKNOWN', `No destination that is sent to is called ${unknown}.`, {
    hint: `There is: ${known.join(', ') || 'none'}.`,
  });
}
