import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Project, startProject } from '../../src/demo/project.ts';

/**
 * A Supabase project for tests. Real: Auth and the REST API, which are @supabase/lite's. Stand-ins, as lite has none of them: Realtime
 * (Phoenix messages for `postgres_changes`), Storage (buckets and their names) and Edge Functions (one that echoes).
 */
export interface LocalProject extends Pick<Project, 'url' | 'publishableKey'> {
  readonly secretKey: string;
  /** Tells whoever has subscribed to the table of a new row, as Realtime would. */
  inserted(table: string, record: object): void;
  /** Resolves once somebody has subscribed to a table. */
  subscribed(table: string): Promise<void>;
  close(): Promise<void>;
}

/** @param databaseUrl of a database without the schema `auth`, as a superuser */
export async function startLocalProject(databaseUrl: string): Promise<LocalProject> {
  const lite = await startProject(databaseUrl);
  const server = createServer((request, response) => void answer(request, response, lite.url));
  const sockets = new WebSocketServer({ server, path: '/realtime/v1/websocket' });
  const realtime = createRealtime(sockets);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publishableKey: lite.publishableKey,
    secretKey: 'sb_secret_demo',
    ...realtime,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await lite.close();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, liteUrl: string): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const path = request.url ?? '/';
  const json = (value: unknown): void => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
  if (path.startsWith('/storage/v1/bucket')) return json([{ id: 'avatars', name: 'avatars', public: false }]);
  if (path.startsWith('/functions/v1/'))
    return json({ name: path.split('/')[3], got: JSON.parse(body.toString() || 'null') as unknown });
  const headers = Object.entries(request.headers).filter(
    ([name]) => !/^(?:host|connection|content-length)$/.test(name),
  );
  const got = await fetch(liteUrl + path, {
    method: request.method ?? 'GET',
    headers: headers.map(([name, value]) => [name, String(value)] as [string, string]),
    ...(body.length === 0 ? {} : { body }),
  });
  response.statusCode = got.status;
  for (const [name, value] of got.headers)
    if (!/^(?:content-encoding|content-length|transfer-encoding)$/.test(name)) response.setHeader(name, value);
  response.end(Buffer.from(await got.arrayBuffer()));
}

interface Message {
  readonly topic: string;
  readonly event: string;
  readonly payload: { readonly config?: { readonly postgres_changes?: readonly { readonly table?: string }[] } };
  readonly ref: string;
  readonly join_ref?: string;
}

/** Realtime's messages for `postgres_changes`, over a socket server. */
export function createRealtime(sockets: WebSocketServer): Pick<LocalProject, 'inserted' | 'subscribed'> {
  const joined = new Map<
    string,
    { readonly socket: WebSocket; readonly topic: string; readonly ref: string | undefined; readonly array: boolean }
  >();
  const waiting = new Map<string, () => void>();
  sockets.on('connection', (socket, request) => {
    // Version 2 of the protocol has arrays: [join_ref, ref, topic, event, payload].
    const array = /[?&]vsn=2/.test(request.url ?? '');
    socket.on('message', (data) => {
      const raw = JSON.parse(data.toString()) as Message | [string, string, string, string, Message['payload']];
      const {
        topic,
        event,
        payload,
        ref,
        join_ref: join,
      } = Array.isArray(raw) ? { join_ref: raw[0], ref: raw[1], topic: raw[2], event: raw[3], payload: raw[4] } : raw;
      const changes = (payload.config?.postgres_changes ?? []).map((change, n) => ({ ...change, id: n + 1 }));
      const response = event === 'phx_join' ? { postgres_changes: changes } : {};
      socket.send(frame(array, join, ref, topic, 'phx_reply', { status: 'ok', response }));
      for (const { table } of changes) {
        if (table === undefined) continue;
        joined.set(table, { socket, topic, ref: join, array });
        waiting.get(table)?.();
      }
    });
  });
  return {
    inserted(table, record) {
      const to = joined.get(table);
      const data = {
        type: 'INSERT',
        schema: 'public',
        table,
        record,
        columns: [],
        errors: null,
        commit_timestamp: new Date().toISOString(),
      };
      to?.socket.send(frame(to.array, to.ref, undefined, to.topic, 'postgres_changes', { ids: [1], data }));
    },
    async subscribed(table) {
      if (!joined.has(table)) await new Promise<void>((resolve) => void waiting.set(table, resolve));
    },
  };
}

function frame(
  array: boolean,
  join: string | undefined,
  ref: string | undefined,
  topic: string,
  event: string,
  payload: object,
): string {
  return JSON.stringify(
    array
      ? [join ?? null, ref ?? null, topic, event, payload]
      : { topic, event, payload, ref: ref ?? null, join_ref: join },
  );
}
