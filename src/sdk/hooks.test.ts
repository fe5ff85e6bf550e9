import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { verifyAuthHook, verifyDatabaseWebhook } from './hooks.ts';

const SECRET = 'c2VjcmV0LW51bWJlci1vbmUtb2YtdGhlLXRlc3Q=';
const body = '{"user":{"id":9007199254740993}}';
const refused = { code: 'RC_HOOK_REFUSED' };

function signed(text = body): Record<string, string> {
  const now = new Date();
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': new Webhook(SECRET).sign('msg_1', now, text),
  };
}

test('an Auth Hook that the reference library signed is read exactly; anything else is refused', async () => {
  const headers = signed();
  const request = new Request('http://127.0.0.1/hook', { method: 'POST', headers, body });
  const read = await verifyAuthHook(request, `v1,whsec_${SECRET}`);
  expect(String((read['user'] as { id: unknown }).id)).toBe('9007199254740993');
  await expect(verifyAuthHook({ headers, body: `${body} ` }, `v1,whsec_${SECRET}`)).rejects.toMatchObject(refused);
  await expect(verifyAuthHook({ headers: {}, body }, [`v1,whsec_${SECRET}`])).rejects.toMatchObject(refused);
  await expect(verifyAuthHook({ headers: signed('[]'), body: '[]' }, `whsec_${SECRET}`)).rejects.toMatchObject(refused);
  // An empty variable lets nobody in, and is a mistake of the program.
  await expect(verifyAuthHook({ headers, body }, '')).rejects.toThrow(TypeError);
});

test('a Database Webhook is proved by its bearer token, by the old one and the new', async () => {
  const row = { type: 'INSERT', schema: 'public', table: 'orders', record: { id: 1 }, old_record: null };
  const headers = { authorization: 'Bearer the-token-of-the-test' };
  const text = JSON.stringify({ ...row, more: 'of the platform' });
  expect(await verifyDatabaseWebhook({ headers, body: text }, ['another-token', 'the-token-of-the-test'])).toEqual(row);
  await expect(verifyDatabaseWebhook({ headers, body: text }, 'another-token')).rejects.toMatchObject(refused);
  await expect(verifyDatabaseWebhook({ headers: {}, body: text }, 'another-token')).rejects.toMatchObject(refused);
  await expect(verifyDatabaseWebhook({ headers, body: '{}' }, 'the-token-of-the-test')).rejects.toMatchObject(refused);
});
