import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { RemoteAccess } from '../engine/remote-asking.ts';
import type { RecoverStore } from '../engine/remote-ports.ts';
import { configured } from '../homes/configured.ts';
import { refOf } from '../sql/open-database.ts';
import type { Sql } from '../sql/port.ts';
import { createRemoteStore } from '../sql/store/remote.ts';
import { createStore } from '../sql/store/store.ts';
import { createTableReader } from '../transport/table.ts';
import { createUndiciSend } from '../transport/undici.ts';
import type { Cli } from './cli.ts';
import { remoteProgress } from './remote-progress.ts';

/** A destination to read; also told what becomes of it. */
export interface RemoteSession {
  readonly access: RemoteAccess;
  /** Ends the line of progress. */
  readonly done: () => void;
}

/**
 * Opens what reading destinations takes, for some work, and closes it again.
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
  work: (sessions: readonly RemoteSession[], store: RecoverStore) => Promise<T>,
): Promise<T> {
  const identity = { configHash: config.hash, projectRef: refOf(config), environment: config.environment };
  const remote = createRemoteStore(sql, createStore(sql, identity), identity);
  const transport = createUndiciSend();
  const tables = createTableReader();
  try {
    const states = await remote.destinations();
    checkNames(
      [...(names ?? []), ...check],
      states.map(({ name }) => name),
    );
    const sessions = states.flatMap((state): RemoteSession[] => {
      const found = configured(config, state.name);
      if (found === undefined || names?.includes(state.name) === false) return [];
      const progress = remoteProgress(cli, state.name);
      const access = {
        destination: found.destination,
        config: found.options,
        state,
        store: remote,
        send: transport.send,
        readTable: tables.read,
      };
      return [{ access: { ...access, onProgress: progress.show }, done: progress.done }];
    });
    return await work(sessions, remote);
  } finally {
    await Promise.all([transport.close(), tables.close()]);
  }
}

function checkNames(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new RollcallError('RC_DESTINATION_UNKNOWN', `No destination that is sent to is called ${unknown}.`, {
    hint: `There is: ${known.join(', ') || 'none'}.`,
  });
}
