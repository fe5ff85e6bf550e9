/**
 * The library: keeps email platforms in step with a Supabase project, from your own code. See docs/sdk.md.
 *
 * @example
 * import { Rollcall } from 'rollcall';
 * const rollcall = new Rollcall({ config: 'rollcall.yaml' });
 * await rollcall.connectors.connect('supabase');
 * await rollcall.start();
 * await rollcall.events.track({ email: 'ann@example.com', event: 'order_placed', properties: { total: 129 } });
 * @module
 */
import { readConfig as read } from '../config/load.ts';
import type { Config } from '../config/types.ts';

export type { Config, ConfigWarning, DestinationConfig } from '../config/types.ts';
export { formatPlace, type Place, RollcallError } from '../core/errors.ts';
export type { JsonObject } from '../core/json.ts';
export type { Logger } from '../engine/ports.ts';
export { runWorker, type WorkerOptions } from '../homes/worker.ts';
export type { RowWebhook } from '../inbound/database-webhook.ts';
export type { Checked } from './check.ts';
export type { Connection, ConnectOptions } from './connect.ts';
export { defineConfig, type RollcallConfig } from './define-config.ts';
export { type HookRequest, type HookSecrets, verifyAuthHook, verifyDatabaseWebhook } from './hooks.ts';
export type { AddedContacts, AddOptions, ListRow, ListRows } from './lists.ts';
export { Rollcall, type RollcallOptions } from './rollcall.ts';
export { configText } from './sdk-config.ts';
export type { Synced, SyncOptions } from './sync.ts';
export type { TrackedEvent } from './told.ts';
export type { RollcallEvents, StartOptions } from './worker.ts';

/**
 * Reads and checks a `rollcall.yaml`.
 * @param env what `${NAME}` is read from
 * @throws RollcallError with code `RC_CONFIG_NOT_FOUND`, `RC_CONFIG_UNREADABLE` or `RC_CONFIG_INVALID`
 */
export async function readConfig(path: string, env: Readonly<Record<string, string | undefined>>): Promise<Config> {
  const { registry } = await import('../destinations/registry.ts');
  return await read(path, env, registry);
}
