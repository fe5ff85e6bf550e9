import type { LookupAddress } from 'node:dns';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Delivery } from '../../core/destination.ts';
import type { SendResult } from '../../engine/ports.ts';
import { createReceiver } from '../../../test/support/receiver.ts';
import { createUndiciSend } from '../../transport/undici.ts';
import { webhook } from './index.ts';

const secret = `whsec_${btoa('x'.repeat(32))}`;
const delivery: Delivery = {
  contactId: '1',
  version: '1',
  action: 'upsert',
  address: 'a@x.y',
  remote: null,
  attributes: {},
  takeover: false,
  consent: 'basis',
  origin: { id: 'aaaa-1', epoch: 1 },
};

/** Sends to a URL, with names resolved as given: one answer for each time a name is asked for, the last one for ever. */
async function sendTo(
  url: string,
  options: object = {},
  answers: readonly string[] = [],
): Promise<readonly SendResult[]> {
  let asked = 0;
  const transport = createUndiciSend({
    connectTimeoutMs: 500,
    lookup: (_name, _how, done) => {
      const address = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      done(null, address === undefined ? [] : [{ address, family: address.includes(':') ? 6 : 4 } as LookupAddress]);
    },
  });
  onTestFinished(() => transport.close());
  const config = webhook.config.parse({ url, secret, ...options });
  const request = webhook.request(webhook.encode(delivery, {}, config), config);
  const send = (): Promise<SendResult> => transport.send(request, webhook.auth(config), { deadlineMs: 1_000 });
  const results: SendResult[] = [];
  for (let n = 0; n < Math.max(1, answers.length); n += 1) results.push(await send());
  return results;
}

const code = (result: SendResult | undefined): string =>
  result === undefined || result.answered || result.outcome.kind === 'delivered' ? 'sent' : result.outcome.code;

describe('is never sent to', () => {
  test.each([
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00:ec2::254]/latest',
    'https://[::ffff:169.254.169.254]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://2852039166/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://100.100.100.200/',
    'https://[fe80::1]/',
    'https://0/',
    'https://[::]/',
    'https://224.0.0.1/',
  ])('%s, with allow_private or without', async (url) => {
    expect(code((await sendTo(url))[0])).toBe('blocked_address');
    expect(code((await sendTo(url, { allow_private: true }))[0])).toBe('blocked_address');
  });

  test.each([
    'https://10.0.0.1/',
    'https://167772161/',
    'https://0x0a000001/',
    'https://012.0.0.1/',
    'https://10.1/',
    'https://192.168.1.9:8443/',
    'https://[fd12:3456::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:c0a8:101]/',
    'https://[64:ff9b::10.0.0.1]/',
  ])('%s, unless the config allows it', async (url) => {
    expect(code((await sendTo(url))[0])).toBe('blocked_address');
  });

  test.each(['10.0.0.1', '127.0.0.1', '::1', '::ffff:10.0.0.1', 'fd12::1', '169.254.169.254', '0.0.0.0'])(
    'a public name that resolves to %s',
    async (address) => {
      const [result] = await sendTo('https://hooks.example.com/', {}, [address]);
      expect(code(result)).toBe('blocked_address');
      expect(JSON.stringify(result)).not.toContain(address);
    },
  );

  test('a name whose second answer is an inner address', async () => {
    // Nobody listens at the first one, so the second attempt connects anew: what is connected to is what was checked.
    const [outside, inside] = await sendTo('https://hooks.example.com:9/', { allow_private: true }, [
      '127.0.0.1',
      '169.254.169.254',
    ]);
    expect(code(outside)).toBe('connection_refused');
    expect(code(inside)).toBe('blocked_address');
  });

  test('the target of a redirect: what stands there is never asked', async () => {
    const inner = await createReceiver();
    const outer = await createReceiver({ status: 308, headers: { location: inner.url } });
    onTestFinished(() => Promise.all([inner.close(), outer.close()]).then(() => undefined));
    const [result] = await sendTo(outer.url);
    if (result?.answered !== true) throw new Error('expected an answer');
    const config = webhook.config.parse({ url: outer.url, secret });
    expect(webhook.interpret(result.response, webhook.encode(delivery, {}, config))).toMatchObject([
      { kind: 'config', code: 'redirect' },
    ]);
    expect(outer.received).toHaveLength(1);
    expect(inner.received).toHaveLength(0);
  });
});

describe('allow_private', () => {
  test('lets a name lead into a private network', async () => {
    // A port where nobody listens: what matters is that it is tried.
    const closed = await createReceiver();
    await closed.close();
    const url = `https://hooks.internal:${closed.port}/`;
    expect(code((await sendTo(url, { allow_private: true }, ['127.0.0.1']))[0])).toBe('connection_refused');
    expect(code((await sendTo(url, {}, ['127.0.0.1']))[0])).toBe('blocked_address');
  });

  test('of one destination lets no other through, not even over a connection that is open', async () => {
    const receiver = await createReceiver();
    const transport = createUndiciSend({
      lookup: (_name, _how, done) => done(null, [{ address: '127.0.0.1', family: 4 } as LookupAddress]),
    });
    onTestFinished(() => Promise.all([receiver.close(), transport.close()]).then(() => undefined));
    // Plain http, which no config allows, so that the test needs no certificate: the guard lets it go with private addresses.
    const request = {
      method: 'POST' as const,
      url: `http://hooks.internal:${receiver.port}/`,
      headers: {},
      body: '{}',
    };
    const auth = { header: 'x-key', value: 'k' };
    const allowed = await transport.send({ ...request, allowPrivate: true }, auth, { deadlineMs: 2_000 });
    const other = await transport.send(request, auth, { deadlineMs: 2_000 });
    expect(allowed.answered).toBe(true);
    expect(code(other)).toBe('blocked_address');
    expect(receiver.received).toHaveLength(1);
  });
});
