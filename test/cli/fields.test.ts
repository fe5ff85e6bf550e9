import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import { startSandbox, type Sandbox } from '../support/mailtrap-sandbox.ts';
import { createUndiciSend } from '../../src/transport/undici.ts';
import { createFields, type FieldAccess, readFields } from '../../src/engine/fields.ts';

const mailtrapFields = mailtrap.fields!;
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function sandbox(faults: Parameters<typeof startSandbox>[0] = {}): Promise<Sandbox> {
  const started = await startSandbox(faults);
  cleanups.push(() => started.close());
  return started;
}

function accessTo(url: string, waits: number[] = []): FieldAccess<never> {
  const config = mailtrap.config.parse({ api_token: 'sandbox-token', base_url: url }) as never;
  const transport = createUndiciSend();
  cleanups.push(() => transport.close());
  return {
    name: 'mailtrap',
    fields: mailtrapFields,
    config,
    auth: mailtrap.auth(config),
    send: transport.send,
    pause: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}

describe('against the sandbox', () => {
  const wanted = [
    { name: 'FIRSTNAME', type: 'text', remoteType: 'text' },
    { name: 'AGE', type: 'integer', remoteType: 'integer' },
  ] as const;

  test('creates fields and reads them back', async () => {
    const access = accessTo((await sandbox()).apiUrl);
    await createFields(access, wanted);
    expect(await readFields(access)).toEqual(
      expect.arrayContaining([
        { name: 'FIRSTNAME', type: 'text' },
        { name: 'AGE', type: 'integer' },
      ]),
    );
  });

  test('a field that appeared in the meantime with the right type is fine', async () => {
    const { apiUrl } = await sandbox();
    await Promise.all([createFields(accessTo(apiUrl), wanted), createFields(accessTo(apiUrl), wanted)]);
    expect((await readFields(accessTo(apiUrl))).filter((f) => f.name === 'AGE')).toHaveLength(1);
  });

  test('a field that appeared with another type is an error that names both', async () => {
    const access = accessTo((await sandbox()).apiUrl);
    await createFields(access, [{ name: 'AGE', type: 'text', remoteType: 'text' }]);
    await expect(createFields(access, wanted)).rejects.toMatchObject({ code: 'RC_FIELD_TYPE' });
  });

  test('a refused field is told in the destination’s own words', async () => {
    const access = accessTo((await sandbox()).apiUrl);
    await expect(createFields(access, [{ name: 'not a tag', type: 'text', remoteType: 'text' }])).rejects.toMatchObject(
      { code: 'RC_FIELD_REFUSED', message: expect.stringContaining('is invalid') as unknown },
    );
  });

  test('the answer lost after acting does not fail and creates nothing twice', async () => {
    const started = await sandbox({ faults: [{ drop: 'after', count: 1, match: { method: 'POST' } }] });
    const access = accessTo(started.apiUrl);
    await createFields(access, wanted);
    expect((await readFields(access)).filter((f) => f.name === 'FIRSTNAME')).toHaveLength(1);
  });

  test('waits as long as the destination asks, and goes on', async () => {
    const started = await sandbox({ faults: [{ status: 429, retryAfter: 7, count: 2 }] });
    const waits: number[] = [];
    await readFields(accessTo(started.apiUrl, waits));
    expect(waits).toEqual([7_000, 7_000]);
  });

  test('gives up after a bounded number of tries', async () => {
    const started = await sandbox({ faults: [{ status: 500 }] });
    const waits: number[] = [];
    await expect(readFields(accessTo(started.apiUrl, waits))).rejects.toMatchObject({ code: 'RC_FIELDS_UNREADABLE' });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  test('a wrong key is not retried and its value is not shown', async () => {
    const started = await sandbox({ token: 'another-token' });
    const waits: number[] = [];
    const failure = await readFields(accessTo(started.apiUrl, waits)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'RC_FIELDS_UNREADABLE' });
    expect(String(failure)).not.toContain('sandbox-token');
    expect(waits).toEqual([]);
  });
});

test('a wait that would keep a person for hours is cut', async () => {
  let calls = 0;
  const server: Server = createServer((_request, response) => {
    calls += 1;
    response.writeHead(calls === 1 ? 429 : 200, { 'retry-after': '7200', 'content-type': 'application/json' });
    response.end(calls === 1 ? '{"errors":"Rate limit exceeded"}' : '[]');
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const waits: number[] = [];
  await readFields(accessTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, waits));
  expect(waits).toEqual([65_000]);
});
