import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sendWebhooks } from '../../src/sandbox/send-webhooks.ts';
import { closeAll, testBed, type TestBed } from './client.ts';

const SECRET = '0123456789abcdef0123456789abcdef';

interface Received {
  readonly type: string | undefined;
  readonly signature: string | undefined;
  readonly body: string;
}

let bed: TestBed;
let receiver: Server;
let url: string;
let status: number;
let received: Received[];
beforeEach(async () => {
  bed = await testBed({ now: () => 1_718_000_000_999 });
  received = [];
  status = 200;
  receiver = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const signature = incoming.headers['mailtrap-signature'];
      received.push({
        type: incoming.headers['content-type'],
        signature: Array.isArray(signature) ? signature[0] : signature,
        body: Buffer.concat(chunks).toString(),
      });
      outgoing.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterEach(async () => {
  await closeAll();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
});

function signature(body: string): string {
  return createHmac('sha256', Buffer.from(SECRET, 'utf8')).update(Buffer.from(body)).digest('hex');
}

it('sends signed JSON, records the opt-out on demand, and replays an event under its id', async () => {
  const event = { address: 'jürgen@example.com', reason: 'unsubscribe', id: 'e-1' };
  const send = { destination: 'mailtrap', url, secret: SECRET, optOuts: [event], record: true };
  const first = await bed.control('POST', '/_sandbox/webhooks/send', send);
  expect(first.json).toEqual({ batches: [{ status: 200, acknowledged: true, event_ids: ['e-1'] }] });
  await bed.control('POST', '/_sandbox/webhooks/send', send);
  expect(received).toHaveLength(2);
  for (const one of received) {
    expect(one.type).toBe('application/json');
    expect(one.signature).toBe(signature(one.body));
    expect(JSON.parse(one.body)).toMatchObject({
      events: [{ event: 'unsubscribe', email: 'jürgen@example.com', event_id: 'e-1', timestamp: 1_718_000_000 }],
    });
  }
  expect(bed.sandbox.state.suppressions()).toMatchObject([{ email: 'jürgen@example.com', type: 'unsubscription' }]);
});

it('sends JSON lines in batches of at most 500', async () => {
  const optOuts = Array.from({ length: 501 }, (_, n) => ({ address: `p${n}@example.com`, reason: 'complaint', at: n }));
  const send = { destination: 'mailtrap', url, secret: SECRET, optOuts };
  const lines = await testBed({ webhookFormat: 'jsonlines' });
  const answer = await lines.control('POST', '/_sandbox/webhooks/send', send);
  expect((answer.json as { batches: unknown[] }).batches).toHaveLength(2);
  expect(received.map(({ type, body }) => [type, body.trimEnd().split('\n').length])).toEqual([
    ['application/jsonl', 500],
    ['application/jsonl', 1],
  ]);
  for (const one of received) expect(one.signature).toBe(signature(one.body));
  const ids = received.flatMap(({ body }) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event_id: string }).event_id),
  );
  expect(new Set(ids).size).toBe(501);
  expect(bed.sandbox.state.suppressions()).toEqual([]);
});

it.each([201, 204, 302, 500])('counts an answer of %i as not received, and follows no redirect', async (answered) => {
  status = answered;
  const send = {
    url,
    secret: SECRET,
    destination: 'mailtrap',
    optOuts: [{ address: 'a@example.com', reason: 'bounce' }],
  };
  const answer = await bed.control('POST', '/_sandbox/webhooks/send', send);
  expect(answer.json).toMatchObject({ batches: [{ status: answered, acknowledged: false }] });
  expect(received).toHaveLength(1);
});

it('says when nobody answers', async () => {
  const optOuts = [{ address: 'a@example.com', reason: 'bounce' }];
  const send = { destination: 'mailtrap', url: 'http://127.0.0.1:1/', secret: SECRET, optOuts };
  const answer = await bed.control('POST', '/_sandbox/webhooks/send', send);
  expect(answer.json).toMatchObject({ batches: [{ status: 0, acknowledged: false }] });
});

it.each(['http://example.com/', 'https://127.0.0.1/', 'file:///etc/passwd', 'http://127.0.0.1.example.com/'])(
  'sends nothing to %s',
  async (elsewhere) => {
    const optOuts = [{ address: 'a@example.com', reason: 'bounce' }];
    const send = { destination: 'mailtrap', url: elsewhere, secret: SECRET, optOuts };
    await expect(sendWebhooks(elsewhere, [])).rejects.toMatchObject({ code: 'RC_SANDBOX_WEBHOOK_URL' });
    expect((await bed.control('POST', '/_sandbox/webhooks/send', send)).status).toBe(400);
  },
);
