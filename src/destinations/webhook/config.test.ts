import { describe, expect, test } from 'vitest';
import { webhook } from './index.ts';

const secret = `whsec_${btoa('a'.repeat(32))}`;
const url = 'https://app.example.com/hooks/rollcall';
const parse = (options: object): ReturnType<typeof webhook.config.safeParse> => webhook.config.safeParse(options);

/** What is said of a config that is refused. */
function refusal(options: object): string {
  const parsed = parse(options);
  if (parsed.success) throw new Error('expected a refusal');
  return parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
}

test('a URL and a secret are enough', () => {
  expect(webhook.config.parse({ url, secret })).toEqual({
    url,
    secret,
    allow_private: false,
    requests_per_second: 10,
    limits_scale: 1,
    concurrency: 10,
    max_bytes: 20_000,
  });
});

describe('url', () => {
  test.each([
    'https://x.example',
    'https://x.example:8443/a/b',
    'http://127.0.0.1:9/hook',
    'http://localhost:9',
    'http://[::1]:9',
  ])('%s is fine', (text) => {
    expect(parse({ url: text, secret }).success).toBe(true);
  });

  test.each([
    ['http://app.example.com', 'https://'],
    ['http://10.0.0.1', 'https://'],
    ['ftp://app.example.com', 'https://'],
    ['https://me:pass@app.example.com', 'user name'],
    ['https://app.example.com/hook?key=abc', 'path'],
    ['https://app.example.com/hook#a', 'path'],
    ['app.example.com', 'not a URL'],
  ])('%s is refused', (text, words) => {
    expect(refusal({ url: text, secret })).toContain(words);
    // A key that somebody put there is not repeated.
    expect(refusal({ url: text, secret })).not.toMatch(/abc|pass\b/);
  });
});

describe('secret', () => {
  test.each([24, 25, 26, 32, 64])('%i bytes are fine', (bytes) => {
    const text = `whsec_${btoa('x'.repeat(bytes))}`;
    expect(webhook.auth(webhook.config.parse({ url, secret: ` ${text} ` }))).toEqual({
      sign: 'standard-webhooks',
      secrets: [text],
    });
  });

  test.each([
    ['', 'is empty: set WEBHOOK_SECRET'],
    ['hunter2', 'must start with whsec_'],
    ['whsec_', 'holds 0 bytes'],
    [`whsec_${btoa('x'.repeat(23))}`, 'holds 23 bytes, and must hold 24 to 64'],
    [`whsec_${btoa('x'.repeat(65))}`, 'holds 65 bytes'],
    [`whsec_${btoa('x'.repeat(32)).replace(/=+$/, '')}`, 'must be base64'],
    ['whsec_hunter2 hunter2 hunter2 hunter2', 'must be base64'],
  ])('%j is refused, and not repeated', (text, words) => {
    expect(refusal({ url, secret: text })).toContain(words);
    expect(refusal({ url, previous_secret: secret, secret: text })).not.toContain('hunter2');
  });

  test('the previous one signs too; empty, it is none', () => {
    const previous = `whsec_${btoa('b'.repeat(32))}`;
    expect(webhook.auth(webhook.config.parse({ url, secret, previous_secret: previous }))).toMatchObject({
      secrets: [secret, previous],
    });
    for (const none of ['', null, undefined]) {
      expect(webhook.auth(webhook.config.parse({ url, secret, previous_secret: none }))).toMatchObject({
        secrets: [secret],
      });
    }
    expect(refusal({ url, secret, previous_secret: 'old' })).toContain('previous_secret must start with whsec_');
  });

  test('the sandbox’s token becomes one', () => {
    for (const token of ['t', 'sandbox-token', 'x'.repeat(200), secret]) {
      expect(parse(webhook.standIn('http://127.0.0.1:9/webhook', token)).success).toBe(true);
    }
  });
});

test('limits count messages, in numbers and bytes', () => {
  const config = webhook.config.parse({ url, secret, requests_per_second: 20, limits_scale: 2.5, max_bytes: 5_000 });
  expect(webhook.limits(config)).toEqual({
    buckets: [{ name: 'messages', requests: 50, perMs: 1_000 }],
    concurrency: 10,
    bytesPerRequest: 5_000,
  });
});
