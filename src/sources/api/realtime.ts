import { WebSocket } from 'undici';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { isJwt } from '../../core/project-key.ts';
import { readJson } from '../../core/wire.ts';
import type { Logger } from '../../engine/ports.ts';
import { pause } from '../../engine/wake.ts';
import type { Reader } from './reader.ts';
import { hintOf } from './row-hint.ts';
import { textOf } from './text-of.ts';

/** What listening needs. */
export interface ListenParts {
  readonly url: string;
  /** A secret. */
  readonly key: string;
  readonly reader: Pick<Reader, 'hint' | 'keyOf' | 'tables'>;
  readonly log: Logger;
}

/** The server ends a connection that is silent for longer than 25 s (guides/realtime/protocol.mdx). */
const HEARTBEAT_MS = 20_000;
const FIRST_AGAIN_MS = 1_000;
const LONGEST_AGAIN_MS = 60_000;
const TOPIC = 'realtime:rollcall';

/**
 * Listens to Realtime for as long as the signal lets it. What arrives is a hint to read that row again, and nothing of it is taken:
 * a message may be lost, and then the next reading finds the row. After each time without a connection everything is read.
 */
export async function listenToRealtime(parts: ListenParts, signal: AbortSignal): Promise<void> {
  let againMs = FIRST_AGAIN_MS;
  let told = false;
  while (!signal.aborted) {
    const joined = await listen(parts, signal);
    if (joined) againMs = FIRST_AGAIN_MS;
    else if (!told) {
      parts.log.info({}, 'Realtime lets nobody in: changes are found by reading alone');
      told = true;
    }
    await pause(againMs, signal);
    againMs = Math.min(LONGEST_AGAIN_MS, againMs * 2);
  }
}

/** One connection, until it ends. @returns whether the channel let us in */
function listen({ url, key, reader, log }: ListenParts, signal: AbortSignal): Promise<boolean> {
  // The key goes in headers: a URL stands in logs.
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/realtime/v1/websocket?vsn=1.0.0`, {
    headers: { apikey: key, 'x-api-key': key },
  });
  let joined = false;
  let ref = 1;
  const say = (topic: string, event: string, payload: object): void => {
    ref += 1;
    if (socket.readyState === socket.OPEN)
      socket.send(JSON.stringify({ topic, event, payload, ref: String(ref), join_ref: '1' }));
  };
  return new Promise((resolve) => {
    const beat = setInterval(() => say('phoenix', 'heartbeat', {}), HEARTBEAT_MS);
    const end = (): void => {
      clearInterval(beat);
      signal.removeEventListener('abort', end);
      socket.close();
      resolve(joined);
    };
    signal.addEventListener('abort', end, { once: true });
    socket.addEventListener('close', end);
    socket.addEventListener('error', end);
    socket.addEventListener('open', () => {
      const changes = reader.tables().map(({ schema, table }) => ({ event: '*', schema, table }));
      const config = {
        broadcast: { ack: false, self: false },
        presence: { key: '' },
        postgres_changes: changes,
        private: false,
      };
      // A key of the newer kind is no token of anybody's.
      const token = isJwt(key) ? { access_token: key } : {};
      say(TOPIC, 'phx_join', { config, ...token });
    });
    socket.addEventListener('message', ({ data }) => {
      const message = readJson(String(data));
      if (!isJsonObject(message) || message['topic'] !== TOPIC) return;
      const payload = message['payload'];
      if (message['event'] === 'phx_reply' && !joined) {
        joined = isJsonObject(payload) && payload['status'] === 'ok';
        if (!joined) return end();
        // What happened while nobody listened.
        return reader.hint([]);
      }
      if (message['event'] === 'system' && isJsonObject(payload) && payload['status'] === 'error') {
        log.warn({}, 'Realtime does not tell of a table: is it in the publication supabase_realtime?');
      }
      if (message['event'] === 'phx_error' || message['event'] === 'phx_close') return end();
      if (message['event'] === 'postgres_changes') reader.hint(hintsIn(payload, reader));
    });
  });
}

/** Whose row a message is about: nothing where that is not to be told, so that everything is read. */
function hintsIn(payload: Json | undefined, reader: Pick<Reader, 'keyOf'>): ReturnType<typeof hintOf> {
  const data = isJsonObject(payload) ? payload['data'] : undefined;
  if (!isJsonObject(data)) return [];
  const rows = [data['record'], data['old_record']].filter((row): row is JsonObject => isJsonObject(row));
  return hintOf(`${textOf(data['schema'])}.${textOf(data['table'])}`, rows, reader);
}
