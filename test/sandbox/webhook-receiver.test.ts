import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/types.ts';

const secret = `whsec_${btoa('s'.repeat(32))}`;
const open: Sandbox[] = [];

afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close();
});

async function receiver(options: SandboxOptions & { settings?: { webhook: object } } = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ only: ['webhook'], token: secret, limitsScale: Infinity, ...options });
  open.push(sandbox);
  return sandbox;
}

interface Sent {
  readonly id?: string;
  readonly at?: Date;
  readonly by?: string;
  readonly tamper?: (body: string) => string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly path?: string;
}

let count = 0;

/** Signs a message with the official library, and posts it. */
async function send(sandbox: Sandbox, message: object, sent: Sent = {}): Promise<Response> {
  count += 1;
  const { id = `m_${count}`, at = new Date(), by = secret, tamper = (body) => body } = sent;
  const body = JSON.stringify(message);
  return await fetch(sandbox.of('webhook').url + (sent.path ?? ''), {
    method: sent.method ?? 'POST',
    redirect: 'manual',
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(by).sign(id, at, body),
      ...sent.headers,
    },
    ...(sent.method === 'GET' ? {} : { body: tamper(body) }),
  });
}

const told = (more: object = {}, order: object = {}): object => ({
  type: 'contact.upserted',
  data: {
    contact: { id: 'c_1', address: 'a@x.y', previous_address: null, consent: 'basis', attributes: { N: 1 }, ...more },
    epoch: 1,
    version: 1,
    ...order,
  },
});
const gone = (version: number, id = 'c_1'): object => ({
  type: 'contact.deleted',
  data: { contact: { id, address: 'a@x.y' }, epoch: 1, version },
});

describe('verifies', () => {
  test('a message signed by the library, at either form of its URL', async () => {
    const sandbox = await receiver();
    expect((await send(sandbox, told())).status).toBe(204);
    expect((await send(sandbox, told(), { path: '/' })).status).toBe(204);
    expect(sandbox.of('webhook').standIn.contact('A@x.y')).toMatchObject({ id: 'c_1', attributes: { N: 1 } });
  });

  test('with any one of several signatures', async () => {
    const sandbox = await receiver();
    const at = new Date();
    const both = [`whsec_${btoa('o'.repeat(32))}`, secret].map((by) =>
      new Webhook(by).sign('m_both', at, JSON.stringify(told())),
    );
    const answer = await send(sandbox, told(), { id: 'm_both', at, headers: { 'webhook-signature': both.join(' ') } });
    expect(answer.status).toBe(204);
  });

  test.each<[string, Sent]>([
    ['another secret', { by: `whsec_${btoa('o'.repeat(32))}` }],
    ['a changed body', { tamper: (body) => body.replace('a@x.y', 'e@x.y') }],
    ['a time of six minutes ago', { at: new Date(Date.now() - 360_000) }],
    ['a time in six minutes', { at: new Date(Date.now() + 360_000) }],
    ['no time', { headers: { 'webhook-timestamp': '' } }],
    ['another id', { headers: { 'webhook-id': 'm_other' } }],
    ['no signature', { headers: { 'webhook-signature': '' } }],
    ['one of an unknown kind', { headers: { 'webhook-signature': 'v2,abc' } }],
  ])('%s is refused, and nothing is kept', async (_, sent) => {
    const sandbox = await receiver();
    expect((await send(sandbox, told(), sent)).status).toBe(401);
    expect(sandbox.of('webhook').standIn.contactCount).toBe(0);
  });

  test('what is no message, and what is not posted', async () => {
    const sandbox = await receiver();
    for (const body of [
      {},
      { type: 'contact.upserted' },
      told({ consent: 'subscribed' }),
      told({}, { version: '1' }),
    ]) {
      expect((await send(sandbox, body)).status).toBe(400);
    }
    expect((await send(sandbox, {}, { method: 'GET' })).status).toBe(405);
    expect((await send(sandbox, {}, { path: '/elsewhere' })).status).toBe(404);
  });
});

describe('keeps what it is told', () => {
  test('once: a repetition changes nothing, whatever it says', async () => {
    const sandbox = await receiver();
    await send(sandbox, told({ attributes: { N: 1 } }), { id: 'm_a' });
    expect((await send(sandbox, told({ attributes: { N: 2 } }, { version: 2 }), { id: 'm_a' })).status).toBe(204);
    expect(sandbox.of('webhook').standIn.contact('c_1')).toMatchObject({ attributes: { N: 1 } });
  });

  test('in order, by epoch and version as numbers, also of whom is gone', async () => {
    const { standIn } = (await receiver()).of('webhook');
    const sandbox = open[0]!;
    await send(sandbox, told({ attributes: { N: 10 } }, { version: 10 }));
    await send(sandbox, told({ attributes: { N: 9 } }, { version: 9 }));
    expect(standIn.contact('c_1')).toMatchObject({ attributes: { N: 10 } });
    await send(sandbox, told({ attributes: { N: 1 } }, { epoch: 2, version: 1 }));
    expect(standIn.contact('c_1')).toMatchObject({ attributes: { N: 1 } });
    await send(sandbox, {
      type: 'contact.deleted',
      data: { contact: { id: 'c_1', address: null }, epoch: 2, version: 2 },
    });
    await send(sandbox, told({}, { epoch: 2, version: 1 }));
    expect(standIn.contactCount).toBe(0);
  });

  test('at one address each: who takes it over has it, also after a late message of the other', async () => {
    const sandbox = await receiver();
    const { standIn } = sandbox.of('webhook');
    await send(sandbox, told({ id: 'c_1' }));
    await send(sandbox, told({ id: 'c_2', attributes: { N: 2 } }));
    expect([...standIn.contacts()].map(({ id }) => id)).toEqual(['c_2']);
    // An attempt for the first, of unknown outcome, arrives late; then the second is told once more.
    await send(sandbox, told({ id: 'c_1' }, { version: 2 }));
    await send(sandbox, told({ id: 'c_2', attributes: { N: 2 } }), { id: 'm_again' });
    expect([...standIn.contacts()].map(({ id, attributes }) => [id, attributes])).toEqual([['c_2', { N: 2 }]]);
  });

  test('events, with their key', async () => {
    const sandbox = await receiver();
    const at = '2026-05-06T07:08:09.123456Z';
    const event = { id: 'e', name: 'order placed', properties: { total: 1 }, occurred_at: at };
    const message = {
      type: 'event.order placed',
      timestamp: at,
      data: { event, contact: { id: 'c_1', address: 'a@x.y' } },
    };
    for (let n = 0; n < 2; n += 1) await send(sandbox, message, { id: 'e_e' });
    expect(sandbox.of('webhook').standIn.events()).toMatchObject([
      { name: 'order placed', key: 'e', address: 'a@x.y' },
    ]);
    expect((await send(sandbox, { ...message, timestamp: undefined })).status).toBe(400);
  });
});

describe('consent', () => {
  test.each([
    ['basis', 'subscribed'],
    ['none', 'unsubscribed'],
    ['opted_out', 'unsubscribed'],
  ])('%s: %s', async (consent, status) => {
    const sandbox = await receiver();
    await send(sandbox, told({ consent }));
    expect(sandbox.of('webhook').standIn.contact('c_1')).toMatchObject({ status });
  });

  test('a no that was given to the receiver itself stays, and moves with the person', async () => {
    const sandbox = await receiver();
    const { standIn } = sandbox.of('webhook');
    await send(sandbox, told());
    standIn.optOut('A@x.y', 'unsubscribe');
    await send(sandbox, told({ address: 'b@x.y', previous_address: 'a@x.y' }, { version: 2 }));
    expect(standIn.contact('b@x.y')).toMatchObject({ id: 'c_1', status: 'unsubscribed' });
    await send(sandbox, { ...gone(3), type: 'contact.unsubscribed' });
    expect(standIn.contact('c_1')).toMatchObject({ status: 'unsubscribed' });
    await send(sandbox, gone(4));
    expect(standIn.contactCount).toBe(0);
  });
});

describe('as receivers are', () => {
  test('410: it wants no more', async () => {
    const sandbox = await receiver({ settings: { webhook: { gone: true } } });
    const answer = await send(sandbox, told());
    expect([answer.status, await answer.json()]).toEqual([410, { error: 'no more messages, please' }]);
  });

  test('429 with Retry-After', async () => {
    const sandbox = await receiver({
      limitsScale: 1,
      now: () => 1_763_694_231_123,
      settings: { webhook: { requestsPerSecond: 2 } },
    });
    const at = new Date(1_763_694_231_123);
    const statuses: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const answer = await send(sandbox, told({}, { version: n }), { at });
      statuses.push(answer.status);
      if (answer.status === 429) expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(statuses).toEqual([204, 204, 429]);
  });

  test('a redirect', async () => {
    const sandbox = await receiver({ faults: [{ status: 307 }] });
    const answer = await send(sandbox, told());
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(`${sandbox.of('webhook').url}/elsewhere`);
  });

  test('a message of more than 20 KiB', async () => {
    const sandbox = await receiver();
    expect((await send(sandbox, told({ attributes: { N: 'x'.repeat(20_480) } }))).status).toBe(413);
  });

  test('slow, and it acted after all', async () => {
    const sandbox = await receiver({ faults: [{ latencyMs: 600_000, latencyAt: 'after' }] });
    const hung = send(sandbox, told()).catch(() => undefined);
    await sandbox.until(() => sandbox.of('webhook').standIn.contactCount === 1, 5_000);
    sandbox.clearFaults();
    expect(sandbox.calls()).toHaveLength(0);
    await open.pop()!.close();
    await hung;
  });
});

test('what it keeps is saved and loaded: it drops what it had, and what is older', async () => {
  const first = await receiver();
  await send(first, told({}, { version: 5 }), { id: 'm_five' });
  first.of('webhook').standIn.optOut('other@x.y', 'unsubscribe');
  const sandbox = await receiver({ state: JSON.parse(JSON.stringify(first.save())) as never });
  const { standIn } = sandbox.of('webhook');
  expect([...standIn.contacts()]).toEqual([...first.of('webhook').standIn.contacts()]);
  await send(sandbox, told({ attributes: { N: 9 } }, { version: 6 }), { id: 'm_five' });
  await send(sandbox, told({ attributes: { N: 9 } }, { version: 4 }));
  expect(standIn.contact('a@x.y')).toMatchObject({ attributes: { N: 1 } });
  await send(sandbox, told({ id: 'c_2', address: 'other@x.y' }));
  expect(standIn.contact('other@x.y')).toMatchObject({ status: 'unsubscribed' });
  expect(() => sandbox.load({ rollcall_sandbox: 1, destinations: { webhook: { contacts: 3 } } })).toThrow(
    expect.objectContaining({ code: 'RC_SANDBOX_STATE' }),
  );
  expect(standIn.contactCount).toBe(2);
  sandbox.reset();
  expect(standIn.contactCount).toBe(0);
});
