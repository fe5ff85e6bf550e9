import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { verifyStandard } from './standard-webhooks.ts';

const KEYS = ['c2VjcmV0LW51bWJlci1vbmUtb2YtdGhlLXRlc3Q=', 'c2VjcmV0LW51bWJlci10d28tb2YtdGhlLXRlc3Q='] as const;
const NOW = Date.UTC(2026, 0, 2);
const BODY = '{"metadata":{"name":"before-user-created"},"user":{}}';

const signature = (key: string, body = BODY): string => new Webhook(key).sign('msg_1', new Date(NOW), body);
const headers = (more: Record<string, string> = {}): Headers =>
  new Headers({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(NOW / 1_000),
    'webhook-signature': signature(KEYS[0]),
    ...more,
  });
const verdict = (
  of: Headers,
  body = BODY,
  secrets: readonly string[] = [`v1,whsec_${KEYS[0]}`],
  now = NOW,
): Promise<string> => verifyStandard({ headers: of, body }, secrets, now);

test('what the reference library signs is proved, by either form of the secret', async () => {
  expect(await verdict(headers())).toBe('proved');
  expect(await verdict(headers(), BODY, [`whsec_${KEYS[0]}`])).toBe('proved');
});

test('while a secret is changed for another one either proves, with commas and with spaces between signatures', async () => {
  const both = [signature(KEYS[1]), signature(KEYS[0])];
  for (const between of [' ', ', ']) {
    expect(await verdict(headers({ 'webhook-signature': both.join(between) }))).toBe('proved');
  }
  expect(await verdict(headers(), BODY, [`v1,whsec_${KEYS[1]}`, `v1,whsec_${KEYS[0]}`])).toBe('proved');
});

test('another body, another secret, none, and another time', async () => {
  expect(await verdict(headers(), `${BODY} `)).toBe('forged');
  expect(await verdict(headers(), BODY, [`v1,whsec_${KEYS[1]}`])).toBe('forged');
  expect(await verdict(headers(), BODY, ['', 'no secret'])).toBe('forged');
  expect(await verdict(headers({ 'webhook-id': 'msg_2' }))).toBe('forged');
  expect(await verdict(headers({ 'webhook-signature': 'v1,' }))).toBe('forged');
  expect(await verdict(new Headers())).toBe('unsigned');
  expect(await verdict(headers(), BODY, undefined, NOW + 301_000)).toBe('stale');
  expect(await verdict(headers(), BODY, undefined, NOW - 301_000)).toBe('stale');
});
