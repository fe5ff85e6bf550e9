import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { createTableReader, type TableReaderOptions } from './table.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/export.csv.gz?signature=s3cr3t`;
}

async function rows(url: string, options: TableReaderOptions = {}, from = url, deadlineMs = 5_000): Promise<unknown[]> {
  const reader = createTableReader(options);
  cleanups.push(() => reader.close());
  const found: unknown[] = [];
  for await (const row of reader.read({ url, from, deadlineMs })) found.push(row);
  return found;
}

const CSV = '\u{feff}email,NAME\r\na@x.io,"Ann, ""A""\r\nLee"\r\n\r\nb@x.io\r\n';
const READ = [['email', 'NAME'], ['a@x.io', 'Ann, "A"\r\nLee'], ['b@x.io']];

test.each([
  ['gzipped', gzipSync(CSV)],
  ['plain', Buffer.from(CSV)],
])('%s, row by row, and nothing of ours is sent with it', async (_how, body) => {
  const headers: object[] = [];
  const url = await serve((request, response) => {
    headers.push(request.headers);
    response.end(body);
  });
  expect(await rows(url)).toEqual(READ);
  expect(headers).toHaveLength(1);
  expect(Object.keys(headers[0]!).toSorted()).toEqual(['connection', 'host']);
});

test('an empty file has no rows', async () => {
  expect(await rows(await serve((_request, response) => response.end()))).toEqual([]);
});

test.each<[string, RequestListener, TableReaderOptions, object]>([
  [
    'a redirect is not followed',
    (_request, response) => response.writeHead(302, { location: '/other' }).end(),
    {},
    { code: 'RC_EXPORT_DOWNLOAD', message: expect.stringContaining('status 302') },
  ],
  [
    'more bytes than allowed',
    (_request, response) => response.end(Buffer.alloc(5_000)),
    { maxBytes: 4_999 },
    { code: 'RC_EXPORT_TOO_LARGE' },
  ],
  [
    'few bytes that unpack to more than allowed',
    (_request, response) => response.end(gzipSync(Buffer.alloc(2_000_000, 'a,b\n'))),
    { maxBytes: 10_000, maxUnpackedBytes: 1_000_000 },
    { code: 'RC_EXPORT_TOO_LARGE' },
  ],
  [
    'a broken archive',
    (_request, response) => response.end(gzipSync(CSV.repeat(500)).fill(7, 20)),
    {},
    { code: 'RC_EXPORT_UNREADABLE' },
  ],
  [
    'an archive that ends early',
    (_request, response) => response.end(gzipSync(CSV).subarray(0, 30)),
    {},
    { code: 'RC_EXPORT_UNREADABLE' },
  ],
  ['no CSV', (_request, response) => response.end('a,"b\nc'), {}, { code: 'RC_EXPORT_UNREADABLE' }],
  [
    'a connection that is cut',
    (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('email\n');
      response.socket?.destroySoon();
    },
    {},
    { code: 'RC_EXPORT_DOWNLOAD' },
  ],
])('%s', async (_name, listener, options, expected) => {
  const error = await rows(await serve(listener), options).catch((caught: unknown) => caught);
  expect(error).toMatchObject(expected);
  expect(String(error)).not.toContain('s3cr3t');
});

test('it ends by its deadline', async () => {
  const url = await serve((_request, response) => response.writeHead(200).write('email\na@x.io\n'));
  await expect(rows(url, {}, url, 100)).rejects.toMatchObject({ code: 'RC_EXPORT_TIMEOUT' });
});

test('a link from elsewhere leads neither to this machine nor into a private network, nor over plain http', async () => {
  let asked = 0;
  const url = await serve((_request, response) => {
    asked += 1;
    response.end();
  });
  const from = 'https://mailtrap.io/api/contacts/exports';
  for (const link of [
    url,
    'https://10.0.0.1/f',
    'https://169.254.169.254/f',
    'http://example.com/f',
    'file:///etc/passwd',
    'x',
  ]) {
    await expect(rows(link, {}, from), link).rejects.toMatchObject({ code: 'RC_EXPORT_DOWNLOAD' });
  }
  expect(asked).toBe(0);
});

test('a reader that stops early ends the download', async () => {
  let closed: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const url = await serve((_request, response) => {
    response.on('close', () => closed?.());
    response.writeHead(200).write('email\na@x.io\n');
  });
  const reader = createTableReader();
  cleanups.push(() => reader.close());
  for await (const row of reader.read({ url, from: url, deadlineMs: 5_000 })) {
    expect(row).toEqual(['email']);
    break;
  }
  await ended;
});
