import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Delivery, HttpRequest } from '../../core/destination.ts';
import { createReceiver, type Received } from '../../../test/support/receiver.ts';
import { createUndiciSend } from '../../transport/undici.ts';
import { webhook } from './index.ts';

const secret = `whsec_${btoa('new'.repeat(10))}`;
const previous = `whsec_${btoa('old'.repeat(10))}`;
const delivery: Delivery = {
  contactId: '42',
  version: '7',
  action: 'upsert',
  address: 'zoë@x.y',
  remote: null,
  attributes: { NAME: 'Zoë "Z" 🙂' },
  takeover: false,
  consent: 'basis',
  origin: { id: 'aaaa-1', epoch: 1 },
};

/** Sends a message over a real connection; what the receiver got. */
async function received(options: object, times = 1): Promise<readonly Received[]> {
  const receiver = await createReceiver();
  const transport = createUndiciSend();
  onTestFinished(() => Promise.all([receiver.close(), transport.close()]).then(() => undefined));
  const config = webhook.config.parse({ url: receiver.url, secret, ...options });
  const request: HttpRequest = webhook.request(webhook.encode(delivery, {}, config), config);
  for (let n = 0; n < times; n += 1) {
    const result = await transport.send(request, webhook.auth(config), { deadlineMs: 5_000 });
    if (!result.answered) throw new Error('expected an answer');
  }
  return receiver.received;
}

describe('the official library', () => {
  test('accepts a message as it comes over the wire', async () => {
    const [message] = await received({});
    expect(new Webhook(secret).verify(message!.body, message!.headers)).toEqual({
      type: 'contact.upserted',
      data: {
        contact: {
          id: 'c_aaaa-1_1_42',
          address: 'zoë@x.y',
          previous_address: null,
          consent: 'basis',
          attributes: delivery.attributes,
        },
        epoch: 1,
        version: 7,
      },
    });
  });

  test('refuses a body, an id or a time that somebody changed, and another secret', async () => {
    const [{ body, headers }] = (await received({})) as [Received];
    const verify = (text: string, more: Record<string, string>, by = secret): unknown =>
      new Webhook(by).verify(text, { ...headers, ...more });
    expect(() => verify(body.replace('zoë', 'eve'), {})).toThrow('No matching signature');
    expect(() => verify(body, { 'webhook-id': 'm_other' })).toThrow('No matching signature');
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => verify(body, { 'webhook-timestamp': later })).toThrow('No matching signature');
    expect(() => verify(body, {}, previous)).toThrow('No matching signature');
  });

  test('refuses a message that is replayed later', async () => {
    const [{ body, headers }] = (await received({})) as [Received];
    const old = new Date(Date.now() - 6 * 60_000);
    const signed = new Webhook(secret).sign(headers['webhook-id']!, old, body);
    const timestamp = String(Math.floor(old.getTime() / 1_000));
    expect(() =>
      new Webhook(secret).verify(body, { ...headers, 'webhook-timestamp': timestamp, 'webhook-signature': signed }),
    ).toThrow('too old');
  });

  test('with either secret, while it is changed', async () => {
    const [{ body, headers }] = (await received({ previous_secret: previous })) as [Received];
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const by of [secret, previous]) expect(new Webhook(by).verify(body, headers)).toBeTruthy();
    expect(() => new Webhook(`whsec_${btoa('x'.repeat(30))}`).verify(body, headers)).toThrow('No matching signature');
  });
});

test('each attempt has one id and one body, and a signature of its own time', async () => {
  const [first, second] = await received({}, 2);
  expect(second?.body).toBe(first?.body);
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  for (const { headers } of [first!, second!]) {
    expect(Math.abs(Date.now() / 1_000 - Number(headers['webhook-timestamp']))).toBeLessThan(60);
    expect(JSON.stringify(headers)).not.toContain(secret.slice(6));
  }
});
