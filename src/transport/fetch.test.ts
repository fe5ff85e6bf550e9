import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import type { Auth, HttpRequest } from '../core/destination.ts';
import type { SendResult } from '../engine/ports.ts';
import { createFetchSend, type FetchSendOptions } from './fetch.ts';

const TOKEN = 'tok-7f3a-of-the-tests';
const AUTH: Auth = { header: 'Authorization', value: `Bearer ${TOKEN}` };
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => new Promise((done) => server.close(done)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (listener: RequestListener): Promise<string> => {
  const server = createServer({ keepAlive: false }, listener);
  cleanups.push(() => Promise.resolve(server.closeAllConnections()));
  return listen(server);
};

async function send(
  url: string,
  {
    deadlineMs = 5_000,
    auth = AUTH,
    signal,
    ...options
  }: FetchSendOptions & { deadlineMs?: number; auth?: Auth; signal?: AbortSignal } = {},
  more: Partial<HttpRequest> = {},
): Promise<SendResult> {
  const request = {
    method: 'POST',
    url: `${url}/p%40x.y`,
    headers: { Accept: 'a/b' },
    body: '{"a":"ü"}',
    ...more,
  } as const;
  const result = await createFetchSend(options)(request, auth, { deadlineMs, signal });
  if (!result.answered) expect(JSON.stringify(result)).not.toMatch(/tok-7f3a|p%40x/);
  return result;
}

test('carries the authentication, gives the answer as data, without our key in it', async () => {
  const origin = await http((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(422, { 'X-Odd': 'Yes' });
      response.end(
        `${request.method} ${request.url} ${request.headers.accept} ${request.headers.authorization} ${Buffer.concat(parts).toString()}`,
      );
    });
  });
  expect(await send(origin)).toMatchObject({
    answered: true,
    response: { status: 422, headers: { 'x-odd': 'Yes' }, body: 'POST /p%40x.y a/b Bearer [secret] {"a":"ü"}' },
  });
});

test('signs as the reference library checks it', async () => {
  const secret = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`;
  const proved = new Promise((resolve, reject) => {
    void http((request, response) => {
      response.end();
      try {
        resolve(new Webhook(secret).verify('{"a":1}', request.headers as Record<string, string>));
      } catch (error) {
        reject(error);
      }
    }).then((origin) =>
      send(
        origin,
        { auth: { sign: 'standard-webhooks', secrets: [secret] } },
        { headers: { 'webhook-id': 'm1' }, body: '{"a":1}' },
      ),
    );
  });
  expect(await proved).toEqual({ a: 1 });
});

test('a redirect is an answer and is not followed; an answer is cut at one MiB', async () => {
  let reached = 0;
  const other = await http((_request, response) => {
    reached += 1;
    response.end();
  });
  const origin = await http((_request, response) =>
    response.writeHead(307, { location: other }).end('x'.repeat(2 * 2 ** 20)),
  );
  const result = await send(origin);
  expect(result).toMatchObject({ answered: true, response: { status: 307, headers: { location: other } } });
  expect(result.answered && result.response.body.length).toBe(2 ** 20);
  expect(reached).toBe(0);
});

test.each<[string, Parameters<typeof send>[1], object]>([
  ['no time at all', { deadlineMs: 0 }, { kind: 'retry', code: 'deadline' }],
  ['stopped before', { signal: AbortSignal.abort() }, { kind: 'retry', code: 'aborted' }],
  [
    'a lookup that takes too long',
    { deadlineMs: 30, resolve: () => new Promise(() => undefined) },
    { kind: 'retry', code: 'deadline' },
  ],
  [
    'no such name',
    { resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) },
    { kind: 'retry', code: 'dns_failed' },
  ],
  ['an address inside', { resolve: () => Promise.resolve(['10.0.0.1']) }, { kind: 'config', code: 'blocked_address' }],
  [
    'one of them inside',
    { resolve: () => Promise.resolve(['8.8.8.8', '169.254.169.254']) },
    { kind: 'config', code: 'blocked_address' },
  ],
])('nothing was sent: %s', async (_name, options, outcome) => {
  expect(await send('https://api.example', options)).toMatchObject({ answered: false, outcome });
});

test.each(['http://api.example', 'https://10.0.0.1', 'https://u:p@api.example', 'ftp://api.example', 'nonsense'])(
  'nothing is sent to %s',
  async (url) => {
    expect(await send(url)).toMatchObject({ outcome: { kind: 'config', code: 'blocked_address' } });
  },
);

test('a refused connection is tried again; whatever may have arrived is unknown', async () => {
  const gone = createServer();
  const refused = await listen(gone);
  await new Promise((done) => gone.close(done));
  expect(await send(refused)).toMatchObject({ outcome: { kind: 'retry', code: 'connection_refused' } });
  const closes = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
  expect(await send(closes)).toMatchObject({ outcome: { kind: 'unknown' } });
  const silent = await http(() => undefined);
  expect(await send(silent, { deadlineMs: 50 })).toMatchObject({ outcome: { kind: 'unknown', code: 'deadline' } });
  const half = await http((_request, response) => void response.writeHead(200, { 'content-length': '9' }).write('x'));
  expect(await send(half, { deadlineMs: 50 })).toMatchObject({ outcome: { kind: 'unknown', code: 'deadline' } });
});
