import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Project } from '../../src/demo/project.ts';

/** What a test lets go wrong. */
export interface FrontFaults {
  /** Status of each path that begins so, in place of its answer. */
  statuses: Readonly<Record<string, number>>;
  /** Realtime takes the key from the URL alone, as a gateway before it may; or lets nobody in. */
  realtime: 'header' | 'url' | 'nobody';
}

/** A Supabase project as it is seen from outside. */
export interface Front {
  readonly url: string;
  readonly faults: FrontFaults;
  /** Paths and queries that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/**
 * For tests: what @supabase/lite serves is handed through to it, and is real: the Data API, the settings of Auth, and who is let in by
 * which key. The rest are stand-ins of the documented answers: the paths in the description of the Data API, the Admin API of Auth,
 * Storage, Realtime and the Management API.
 */
export async function startFront(lite: Project): Promise<Front> {
  const { WebSocketServer } = (await import(WS)) as WsPackage;
  const faults: FrontFaults = { statuses: {}, realtime: 'header' };
  const asked: string[] = [];
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    asked.push(path);
    const fault = Object.entries(faults.statuses).find(([start]) => path.startsWith(start));
    const secret = request.headers['apikey'] === lite.secretKey;
    if (fault !== undefined) return send(response, fault[1], { message: 'a fault of the test' });
    if (path.startsWith('/auth/v1/admin/users'))
      return send(response, secret ? 200 : 401, { users: [] }, { 'x-total-count': '3' });
    if (path.startsWith('/storage/v1/bucket'))
      return send(response, secret ? 200 : 403, [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
    if (path.startsWith('/v1/projects/')) {
      const token = request.headers['authorization'] === 'Bearer sbp_test-token';
      return send(
        response,
        token ? 200 : 401,
        [1, 2, 3, 4].map((id) => ({ id, status: 'ACTIVE' })),
      );
    }
    const { apikey, accept } = request.headers;
    const passed = await fetch(lite.url + path, { headers: { apikey: String(apikey), accept: String(accept) } });
    response.writeHead(passed.status, { 'content-type': passed.headers.get('content-type') ?? '' });
    const body = await passed.text();
    response.end(
      path === '/rest/v1/' && passed.ok ? JSON.stringify({ ...(JSON.parse(body) as object), paths: PATHS }) : body,
    );
  }
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const inUrl = new URL(request.url ?? '', 'http://x').searchParams.get('apikey');
    asked.push(request.url ?? '');
    const key = faults.realtime === 'header' ? (request.headers['x-api-key'] ?? inUrl) : inUrl;
    if (key !== lite.secretKey || faults.realtime === 'nobody')
      return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (data: Buffer) => {
        const { topic, event, ref } = JSON.parse(data.toString()) as { topic: string; event: string; ref: string };
        if (event === 'phx_join') {
          client.send(JSON.stringify({ topic, event: 'system', ref: null, payload: { status: 'ok' } }));
          client.send(JSON.stringify({ topic, event: 'phx_reply', ref, payload: { status: 'ok', response: {} } }));
        }
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    asked,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** As PostgREST lists tables and functions. */
const PATHS = { '/': {}, '/customers': { get: {} }, '/orders': { get: {} }, '/rpc/twice': { post: {} } };

// Named through a variable: the package comes without types.
const WS = 'ws';

interface Client {
  on(event: 'message', listener: (data: Buffer) => void): void;
  send(text: string): void;
  terminate(): void;
}

interface WsPackage {
  readonly WebSocketServer: new (options: { readonly noServer: true }) => {
    readonly clients: Iterable<Client>;
    handleUpgrade(request: IncomingMessage, socket: unknown, head: Buffer, done: (client: Client) => void): void;
  };
}
