import type { Config } from '../config/types.ts';
import { withListIds } from '../engine/list-ids.ts';
import { observedSend } from '../engine/observed.ts';
import type { Observer } from '../engine/observer.ts';
import type { DestinationState, Send } from '../engine/ports.ts';
import type { Route } from '../engine/route.ts';
import { createWake } from '../engine/wake.ts';
import type { Receiver } from '../inbound/ports.ts';
import type { Notification } from '../server/notifications.ts';
import type { Sql } from '../sql/port.ts';
import type { Identity } from '../sql/store/identity.ts';
import { createStore } from '../sql/store/store.ts';
import { configured, type Registry } from './configured.ts';
import { resolveOptions } from './resolve-options.ts';

export interface RouteParts {
  readonly config: Config;
  readonly sql: Sql;
  readonly identity: Identity;
  readonly registry: Registry;
  readonly send: Send;
  readonly observe: Observer;
}

/** A receiver, and how to learn its secrets before its destination is made ready. */
export interface LearningReceiver extends Receiver {
  /** @throws what `resolveOptions` throws */
  learn(): Promise<void>;
}

/** @throws the database's error when config, database or environment are others than those that were applied: see `fatalError` */
export async function checkInstall(sql: Sql, { configHash, projectRef, environment }: Identity): Promise<void> {
  await sql.query('select rollcall.check_install($1, $2, $3)', [configHash, projectRef, environment]);
}

/**
 * The destinations of the config with their state, and where each tells us that a request for many has ended, or of opt-outs.
 * @throws what `checkInstall` throws
 */
export async function routesOf({ config, sql, identity, registry, send, observe }: RouteParts): Promise<{
  readonly routes: readonly Route[];
  readonly notifications: readonly Notification[];
  readonly receivers: readonly LearningReceiver[];
}> {
  await checkInstall(sql, identity);
  // Else somebody erased could be taken for new, or nobody could be erased by `user.deleted`, and what outlives a restore not be written down.
  await sql.query(
    `select case when $2 then rollcall.kept_check() else rollcall.check_erasure_key()::text end
       from (select rollcall.with_key('', $1) as k offset 0) x where x.k = ''`,
    [identity.erasureKey ?? null, config.erasure.onUserDeleted || config.erasure.export !== undefined],
  );
  const states = await createStore(sql, identity).destinations();
  const routes: Route[] = [];
  const notifications: Notification[] = [];
  const receivers: LearningReceiver[] = [];
  for (const state of states) {
    const found = configured(config, state.name, registry);
    if (found === undefined) continue;
    const { destination, entry } = found;
    const notified = createWake();
    // Its path is a secret, which may stand in Vault: known with the other options, and never before they are.
    let url: string | undefined;
    if (destination.bulk?.notifyUrl !== undefined) notifications.push({ url: () => url, ring: () => notified.ring() });
    let secrets: readonly string[] = [];
    const { inbound } = destination;
    const learn = async (): Promise<unknown> => {
      const options = await resolveOptions(entry, sql, registry);
      secrets = inbound?.secrets(options) ?? [];
      url = destination.bulk?.notifyUrl?.(options);
      return options;
    };
    if (inbound !== undefined) {
      receivers.push({ name: state.name, inbound, secrets: () => secrets, learn: async () => void (await learn()) });
    }
    const prepare = async (): Promise<unknown> => await withListIds(destination, await learn(), send);
    const rereads = entry.vault !== undefined;
    routes.push({ destination, state, prepare, rereads, notified, send: observedSend(send, state.name, observe) });
  }
  return { routes, notifications, receivers };
}

/** The routes with their states as they are now: one may be paused since. */
export function withStates(routes: readonly Route[], states: readonly DestinationState[]): readonly Route[] {
  return routes.map((route) => ({ ...route, state: states.find(({ id }) => id === route.state.id) ?? route.state }));
}
