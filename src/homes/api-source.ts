import type { Hono } from 'hono';
import type { Config } from '../config/types.ts';
import type { Logger, Send } from '../engine/ports.ts';
import { aborted } from '../engine/wake.ts';
import { listenToRealtime } from '../sources/api/realtime.ts';
import { createReader, type Reader } from '../sources/api/reader.ts';
import type { Sql } from '../sql/port.ts';
import { hintsByApi, hintsByLog, mountDatabaseHook } from './database-hook.ts';
import { createCallers, secretOf } from './edge/callers.ts';

export interface SourceParts {
  readonly config: Config;
  readonly sql: Sql;
  readonly send: Send;
  readonly log: Logger;
}

/** Reading a project by its API, beside a worker. */
export interface ApiReading {
  readonly reader: Reader;
  readonly done: Promise<void>;
}

/** Where Database Webhooks of the project come in. */
const HOOK_PATH = '/webhooks/supabase';

/** Starts to read a project by its API, where that is how it is read; ends with the signal. */
export function startReading({ config, sql, send, log }: SourceParts, signal: AbortSignal): ApiReading | undefined {
  const { api } = config;
  if (api === undefined) return undefined;
  const reader = createReader({ config, api, sql, send, log }, signal);
  const listening = async (): Promise<void> => {
    await Promise.race([reader.loaded, aborted(signal)]);
    if (!signal.aborted) await listenToRealtime({ url: api.projectUrl, key: api.apiKey, reader, log }, signal);
  };
  const done = Promise.all([reader.run(), api.realtime ? listening() : undefined]).then(() => undefined);
  return { reader, done };
}

/** Who is there is not known before everything was read once: until then nothing is folded. Resolves also when the signal aborts. */
export async function whenLoaded(reading: ApiReading | undefined, log: Logger, signal: AbortSignal): Promise<void> {
  if (reading === undefined) return;
  const known = reading.reader.loaded.then(() => true);
  if (await Promise.race([known, new Promise<false>((resolve) => void setImmediate(() => resolve(false)))])) return;
  log.info({}, 'reading the project by its API; nothing is sent before everything was read once');
  await Promise.race([known, aborted(signal)]);
}

/**
 * Mounts `POST /webhooks/supabase`: whoever has `server.hook_token`, or `rollcall_hook_token` of Vault, gives a hint.
 */
export function mountProjectHook(app: Hono, { config, sql }: SourceParts, reading: ApiReading | undefined): void {
  const callers = createCallers(
    { ROLLCALL_HOOK_TOKEN: config.server.hookToken },
    (name) => secretOf(sql, name),
    () => performance.now(),
  );
  mountDatabaseHook(app, {
    paths: [HOOK_PATH],
    may: (headers) => callers.may(headers, 'hint'),
    take:
      reading === undefined
        ? hintsByLog(config, (keys) => sql.query('select rollcall.hint($1)', [keys]))
        : hintsByApi(reading.reader),
  });
}
