import type { Config } from '../config/types.ts';
import type { Destination } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import { comparing } from '../core/exports.ts';
import { isFailover } from '../engine/fatal.ts';
import type { DestinationState, Logger, Send } from '../engine/ports.ts';
import { readKeptPlace } from '../engine/kept.ts';
import { isUnreadable, recover, type RecoverOptions, type RecoverReport } from '../engine/recover.ts';
import type { RemoteAccess } from '../engine/remote-asking.ts';
import type { ReadTable, RecoverStore, RemoteReading } from '../engine/remote-ports.ts';
import type { EngineTimes } from '../engine/times.ts';
import { createTrouble } from '../engine/trouble.ts';
import { pause } from '../engine/wake.ts';
import { differencesOf } from '../sql/identity-check.ts';
import type { Sql } from '../sql/port.ts';
import type { Identity } from '../sql/store/identity.ts';
import { keptStore } from '../sql/store/kept.ts';
import { createRemoteStore } from '../sql/store/remote.ts';
import { createStore } from '../sql/store/store.ts';
import { createTableReader } from '../transport/table.ts';
import { configured, type Registry } from './configured.ts';
import { keptPlace } from './kept-place.ts';
import { resolveOptions } from './resolve-options.ts';

export interface FailoverParts {
  readonly config: Config;
  readonly registry: Registry;
  readonly sql: Sql;
  readonly identity: Identity;
  readonly send: Send;
  readonly log: Logger;
  readonly times: EngineTimes;
}

/** The reading that stands for all of them: whoever has it takes the database into use, and the others wait. */
const TURN = 0;
const LOOK_MS = 1_000;
/** A reading runs out after a minute. */
const KEEP_MS = 10_000;
const RETRY_MS = 2_000;

/** A ref that names a Supabase project; any other is a host and a port, which a copy elsewhere may have too. */
export function namesProject(ref: string): boolean {
  return !ref.includes(':');
}

/**
 * After a failover, or a restore to a point in time: waits until this database may send, taking it into use if nobody else does.
 * What the destinations have is read first, as `rollcall recover` does, and not before every attempt of before is over. A
 * destination whose opt-outs cannot be read stays paused, alone, until a person says `rollcall resume`.
 * @returns the destinations as they are then; undefined when it is no failover, and a person has to say what it is
 */
export async function takeIntoUse(
  parts: FailoverParts,
  signal: AbortSignal,
): Promise<readonly DestinationState[] | undefined> {
  const { sql, identity, log } = parts;
  const remote = createRemoteStore(sql, createStore(sql, identity), identity);
  const trouble = createTrouble(log, {}, 'take the new primary into use');
  const noticedAt = performance.now();
  let told = false;
  while (!signal.aborted) {
    try {
      const differs = await differencesOf(sql, identity.projectRef, identity.environment);
      if (differs === undefined) {
        const states = await remote.destinations();
        log.info({}, 'the database is in use again after its failover');
        return states;
      }
      if (!isFailover(differs)) return undefined;
      if (!told) {
        log.warn(
          { differs },
          'the database has failed over, or was restored: nothing is sent before its destinations are read',
        );
      }
      told = true;
      const turn = await remote.open(TURN);
      try {
        await inTurn({ ...parts, remote, turn, noticedAt }, signal);
      } finally {
        await remote.close(turn).catch(() => undefined);
      }
      trouble.worked();
    } catch (error) {
      if (signal.aborted) return [];
      // Another worker is at it.
      const busy = error instanceof RollcallError && error.code === 'RC_AUDIT_BUSY';
      if (!busy) trouble.failed(error);
      await pause(busy ? LOOK_MS : RETRY_MS, signal);
    }
  }
  return [];
}

interface Turn extends FailoverParts {
  readonly remote: RecoverStore;
  readonly turn: RemoteReading;
  readonly noticedAt: number;
}

async function inTurn(parts: Turn, outer: AbortSignal): Promise<void> {
  const { sql, identity, config, remote, turn, noticedAt, times, log } = parts;
  // Somebody may have had the turn since we looked.
  const differs = await differencesOf(sql, identity.projectRef, identity.environment);
  if (differs === undefined || !isFailover(differs)) return;
  const lost = new AbortController();
  const signal = AbortSignal.any([outer, lost.signal]);
  const ended = new AbortController();
  const tables = createTableReader();
  const keeping = keep(remote, turn, lost, ended.signal);
  try {
    // Workers send under leases that they took from the former primary, and what got no answer may arrive for a while.
    await pause(Math.max(0, noticedAt + times.leaseMs + config.delivery.graceMs - performance.now()), signal);
    if (signal.aborted) return;
    const { accesses, unread } = await whoIsRead(parts, tables.read);
    const onUnreadable = ({ state }: Pick<RemoteAccess, 'state'>, error: RollcallError): Promise<void> =>
      pauseUnread(parts, state, error.message);
    const kept = await whatWasKept(parts, signal);
    const reports = await recover({ accesses, unread, store: remote, onUnreadable, kept }, signal);
    for (const report of reports) log.info(counts(report), 'read what a destination has');
  } finally {
    ended.abort();
    await Promise.all([keeping, tables.close()]);
  }
}

/**
 * What outlives a restore. Where it cannot be read nobody knows who was erased, or who has said no, since this point in time: every
 * destination is paused then until a person says `rollcall resume`, as one whose opt-outs cannot be read is.
 */
async function whatWasKept(parts: Turn, signal: AbortSignal): Promise<RecoverOptions['kept']> {
  const place = keptPlace(parts.config);
  if (place === undefined) return undefined;
  try {
    return { store: keptStore(parts.sql, parts.identity), value: await readKeptPlace(place, signal) };
  } catch (error) {
    if (!(error instanceof RollcallError) || error.code !== 'RC_KEPT_UNREADABLE') throw error;
    for (const state of await parts.remote.destinations()) await pauseUnread(parts, state, error.message);
    return undefined;
  }
}

/** Keeps the turn; should it be lost, whoever has it now goes on. */
async function keep(
  remote: RecoverStore,
  turn: RemoteReading,
  lost: AbortController,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(KEEP_MS, signal);
    if (signal.aborted) return;
    try {
      await remote.touch(turn);
    } catch (error) {
      if (error instanceof RollcallError) return lost.abort();
    }
  }
}

async function whoIsRead(
  parts: Turn,
  readTable: ReadTable,
): Promise<{ readonly accesses: readonly RemoteAccess[]; readonly unread: readonly string[] }> {
  const { config, registry, sql, remote, send } = parts;
  const accesses: RemoteAccess[] = [];
  const unread: string[] = [];
  for (const state of await remote.destinations()) {
    const found = configured(config, state.name, registry);
    const { destination } = found ?? {};
    if (found === undefined || destination === undefined || comparing(destination) === undefined) {
      unread.push(state.name);
      // One that keeps no opt-outs has none to be read: it is told of everybody again.
      if (destination === undefined || keepsOptOuts(destination)) await pauseUnread(parts, state, 'it has no export');
      continue;
    }
    try {
      const options = await resolveOptions(found.entry, sql, registry);
      accesses.push({ destination, config: options, state, store: remote, send, readTable });
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unread.push(state.name);
      await pauseUnread(parts, state, error.message);
    }
  }
  return { accesses, unread };
}

function keepsOptOuts({ capabilities }: Destination<unknown>): boolean {
  return capabilities.consent.read.length > 0;
}

/** Everybody is due there once the database is in use; nobody is sent before a person has said so. */
async function pauseUnread(
  { sql, identity, log }: Turn,
  { id, name }: Pick<DestinationState, 'id' | 'name'>,
  why: string,
): Promise<void> {
  const words = `The database failed over, or was restored, and what ${name} has could not be read (${why.replace(/\.$/, '')}). Opt-outs given there that this database does not know of would be overlooked. Run \`rollcall resume ${name}\` to send everybody there again all the same.`;
  await createStore(sql, identity).pause(id, 'RC_NOT_READ', words.slice(0, 500), Infinity);
  log.error(
    { destination: name, code: 'RC_NOT_READ' },
    'a destination could not be read after a failover, so it is paused',
  );
}

function counts({ destination, read, there, equal, different, missing, optedOut, unknown }: RecoverReport): object {
  return read ? { destination, there, equal, different, missing, optedOut, unknown } : { destination, read };
}
