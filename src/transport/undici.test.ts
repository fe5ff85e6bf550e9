import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import type { HttpRequest } from '../core/destination.ts';
import type { SendResult } from '../engine/ports.ts';
import { createUndiciSend, type UndiciSendOptions } from './undici.ts';

const TOKEN = 'tok-7f3a';
const AUTH = { header: 'Authorization', value: `Bearer ${TOKEN}` };
const PATH = '/api/contacts/secret.person%40x.y?q=1';
const cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listen(server: Server | TcpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function http(listener: RequestListener): Promise<string> {
  return listen(createServer(listener));
}

/** A server below HTTP: gets each socket. */
function tcp(listener: (socket: Socket) => void): Promise<string> {
  return listen(createTcpServer(listener));
}

function sender(options: UndiciSendOptions = {}) {
  const made = createUndiciSend(options);
  cleanups.push(() => made.close());
  return made;
}

function patch(origin: string, extra: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'PATCH', url: origin + PATH, headers: { Accept: 'application/json' }, body: '{"a":"ü"}', ...extra };
}

async function send(request: HttpRequest, options: UndiciSendOptions = {}, deadlineMs = 5_000): Promise<SendResult> {
  const result = await sender(options).send(request, AUTH, { deadlineMs });
  expect(result.latencyMs).toBeGreaterThanOrEqual(0);
  // Whatever happened: no secret and no personal data in what was not answered.
  if (!result.answered) expect(JSON.stringify(result)).not.toMatch(/tok-7f3a|secret\.person|contacts/);
  return result;
}

describe('an answered request', () => {
  test('carries the authentication in place of any other, and gives the answer as data', async () => {
    let given: string | undefined;
    const origin = await http((request, response) => {
      given = request.headers.authorization;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        response.writeHead(422, { 'X-Odd': 'Yes', 'Set-Cookie': ['a=1', 'b=2'] });
        response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headers, body }));
      });
    });
    const result = await send(patch(origin, { headers: { AUTHORIZATION: 'Basic other', accept: 'x/y' } }));
    if (!result.answered) throw new Error('expected an answer');
    expect(result.response).toMatchObject({ status: 422, headers: { 'x-odd': 'Yes', 'set-cookie': 'a=1, b=2' } });
    expect(JSON.parse(result.response.body)).toMatchObject({
      url: PATH,
      method: 'PATCH',
      body: '{"a":"ü"}',
      // An answer that tells our own key is kept without it.
      headers: { authorization: 'Bearer [secret]', accept: 'x/y', 'content-length': '10' },
    });
    expect(given).toBe(`Bearer ${TOKEN}`);
  });

  test('connections are kept, many requests share one signal without a warning', async () => {
    let connections = 0;
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on('warning', note);
    cleanups.push(() => void process.off('warning', note));
    const server = createServer((_request, response) => response.end('ok'));
    server.on('connection', () => connections++);
    const origin = await listen(server);
    const { send: go } = sender({ connections: 4 });
    const { signal } = new AbortController();
    const results = await Promise.all(
      Array.from({ length: 60 }, () => go(patch(origin), AUTH, { deadlineMs: 5_000, signal })),
    );
    expect(results.every((result) => result.answered && result.response.body === 'ok')).toBe(true);
    expect(connections).toBeLessThanOrEqual(4);
    expect(warnings).toEqual([]);
  });

  test('a redirect is an answer and is not followed', async () => {
    let reached = 0;
    const other = await http((_request, response) => {
      reached++;
      response.end();
    });
    const origin = await http((_request, response) => response.writeHead(307, { location: other }).end());
    expect(await send(patch(origin))).toMatchObject({ response: { status: 307, headers: { location: other } } });
    expect(reached).toBe(0);
  });

  test('informational answers are skipped', async () => {
    const origin = await http((_request, response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' }, () => response.end('late'));
    });
    expect(await send(patch(origin))).toMatchObject({ response: { status: 200, body: 'late' } });
  });

  test('two MiB are cut to one', async () => {
    const origin = await http((_request, response) => response.end('x'.repeat(2 * 1_048_576)));
    const result = await send(patch(origin));
    expect(result).toMatchObject({ answered: true, response: { status: 200 } });
    expect(result.answered && result.response.body.length).toBe(1_048_576);
  });

  test('an answer without a body, to a request without one', async () => {
    const origin = await http((request, response) =>
      response.writeHead(request.headers['content-length'] === undefined ? 204 : 400).end(),
    );
    expect(await send(patch(origin, { method: 'DELETE', body: null }))).toMatchObject({
      response: { status: 204, body: '' },
    });
  });
});

describe('nothing was sent: retry', () => {
  test('connection refused', async () => {
    const server = createServer();
    const origin = await listen(server);
    await new Promise((done) => server.close(done));
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'retry', code: 'connection_refused' } });
  });

  test('unknown name', async () => {
    const result = await send(patch('https://nowhere.example'), {
      lookup: (_name, _how, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []),
    });
    expect(result).toMatchObject({ outcome: { kind: 'retry', code: 'dns_failed' } });
  });

  test('the deadline ends while the name is looked up', async () => {
    const result = await send(patch('https://slow.example'), { lookup: () => {} }, 50);
    expect(result).toMatchObject({ outcome: { kind: 'retry', code: 'deadline' } });
  });

  test('no time at all', async () => {
    expect(await send(patch('https://x.example'), {}, 0)).toMatchObject({
      outcome: { kind: 'retry', code: 'deadline' },
    });
  });

  test('a TLS handshake that never ends', async () => {
    const origin = await tcp(() => {});
    const result = await send(patch(origin.replace('http:', 'https:')), { connectTimeoutMs: 100 });
    expect(result).toMatchObject({ outcome: { kind: 'retry', code: 'connect_timeout' } });
  });

  test('a certificate nobody vouches for; trusted when its authority is given', async () => {
    const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
      ],
    });
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (_request, response) => response.end('ok'));
    server.on('tlsClientError', () => {});
    const origin = (await listen(server)).replace('http:', 'https:');
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'retry', code: 'tls_failed' } });
    expect(await send(patch(origin), { ca: pems.cert })).toMatchObject({ response: { body: 'ok' } });
  });

  test('a request that waits for a connection past its deadline is never sent later', async () => {
    const seen: (string | undefined)[] = [];
    const held = withResolvers();
    const arrived = withResolvers();
    const origin = await http((request, response) => {
      seen.push(request.url);
      arrived.resolve();
      void held.promise.then(() => response.end());
    });
    const { send: go } = sender({ connections: 1 });
    const first = go(patch(origin, { url: `${origin}/first` }), AUTH, { deadlineMs: 5_000 });
    await arrived.promise;
    const second = await go(patch(origin, { url: `${origin}/second` }), AUTH, { deadlineMs: 30 });
    expect(second).toMatchObject({ outcome: { kind: 'retry', code: 'deadline' } });
    held.resolve();
    await first;
    await go(patch(origin, { url: `${origin}/third` }), AUTH, { deadlineMs: 5_000 });
    expect(seen).toEqual(['/first', '/third']);
  });

  test('aborted before it began', async () => {
    const result = await sender().send(patch('https://x.example'), AUTH, {
      deadlineMs: 1_000,
      signal: AbortSignal.abort(),
    });
    expect(result).toMatchObject({ outcome: { kind: 'retry', code: 'aborted' } });
  });

  test('after close, which lets what is in flight end', async () => {
    const arrived = withResolvers();
    const held = withResolvers();
    const origin = await http((_request, response) => {
      arrived.resolve();
      void held.promise.then(() => response.end('done'));
    });
    const made = createUndiciSend();
    const first = made.send(patch(origin), AUTH, { deadlineMs: 5_000 });
    await arrived.promise;
    const closing = made.close();
    held.resolve();
    expect(await first).toMatchObject({ response: { body: 'done' } });
    await closing;
    expect(await made.send(patch(origin), AUTH, { deadlineMs: 1_000 })).toMatchObject({ outcome: { kind: 'retry' } });
  });
});

describe('it may have arrived: unknown', () => {
  test('no answer before the deadline', async () => {
    const origin = await http(() => {});
    expect(await send(patch(origin), {}, 100)).toMatchObject({ outcome: { kind: 'unknown', code: 'deadline' } });
  });

  test('an answer that trickles past the deadline', async () => {
    const origin = await http((_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('abc');
    });
    expect(await send(patch(origin), {}, 200)).toMatchObject({ outcome: { kind: 'unknown', code: 'deadline' } });
  });

  test('aborted on the way', async () => {
    const controller = new AbortController();
    const origin = await http(() => controller.abort());
    const result = await sender().send(patch(origin), AUTH, { deadlineMs: 5_000, signal: controller.signal });
    expect(result).toMatchObject({ outcome: { kind: 'unknown', code: 'aborted' } });
  });

  test('dropped at once, without reading', async () => {
    const origin = await tcp((socket) => socket.destroy());
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'unknown', code: 'connection_closed' } });
  });

  test('dropped after reading', async () => {
    const origin = await tcp((socket) => void socket.once('data', () => socket.end()));
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'unknown', code: 'connection_closed' } });
  });

  test('reset after reading', async () => {
    const origin = await tcp((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'unknown', code: 'connection_closed' } });
  });

  test.each([
    ['a truncated body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"data"'],
    ['a truncated chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc'],
    ['truncated headers', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['garbage', '\x00\x01hello there\r\n\r\n'],
    ['a bad status line', 'HTTP/1.1 abc\r\n\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(40)}\r\n`],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ])('%s', async (_name, bytes) => {
    const origin = await tcp((socket) => void socket.once('data', () => socket.end(bytes)));
    expect(await send(patch(origin))).toMatchObject({ answered: false, outcome: { kind: 'unknown' } });
  });
});

describe('must not be sent: config', () => {
  test.each([
    ['a header value with a line break', { headers: { accept: 'x\r\nevil: 1' } }, AUTH],
    ['a header name with a line break', { headers: { 'x\r\nevil': '1' } }, AUTH],
    ['a token with a line break', {}, { header: 'authorization', value: `Bearer ${TOKEN}\r\nevil: 1` }],
  ])('%s', async (_name, extra, auth) => {
    let reached = 0;
    const origin = await http((_request, response) => {
      reached++;
      response.end();
    });
    const result = await sender().send(patch(origin, extra), auth, { deadlineMs: 5_000 });
    expect(result).toMatchObject({ outcome: { kind: 'config', code: 'invalid_request' } });
    expect(JSON.stringify(result)).not.toContain(TOKEN);
    expect(reached).toBe(0);
  });

  test('a line break in the URL stays inside the path', async () => {
    let url: string | undefined;
    const origin = await http((request, response) => {
      url = request.url;
      response.end();
    });
    await send({ ...patch(origin), url: `${origin}/a%0d%0aevil: 1 HTTP/1.1\r\nx` });
    expect(url).toBe('/a%0d%0aevil:%201%20HTTP/1.1x');
  });

  test.each([
    'http://mailtrap.io',
    'https://10.0.0.1',
    'https://[::ffff:169.254.169.254]',
    'ftp://127.0.0.1',
    'nonsense',
  ])('to %s', async (origin) => {
    expect(await send(patch(origin))).toMatchObject({ outcome: { kind: 'config', code: 'blocked_address' } });
  });

  test('to a public name that resolves to this machine (DNS rebinding)', async () => {
    let reached = 0;
    const server = createTcpServer(() => reached++);
    const { port } = new URL(await listen(server));
    const result = await send(patch(`https://rebound.example:${port}`), {
      lookup: (_name, _how, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    expect(result).toMatchObject({ outcome: { kind: 'config', code: 'blocked_address' } });
    expect(reached).toBe(0);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const made: { resolve?: () => void } = {};
  const promise = new Promise<void>((done) => (made.resolve = done));
  return { promise, resolve: () => made.resolve?.() };
}
