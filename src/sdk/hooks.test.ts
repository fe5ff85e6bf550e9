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
  await expect(verifyAuthHook({ headers, body }, undefined)).rejects.toThrow('There is no secret');
});

test('an Auth Hook is taken as Node has it: headers of its own, the body in bytes, the secrets in one text', async () => {
  const text = '{"user":{"user_metadata":{"name":"Zoë"}}}';
  const { 'webhook-id': id, ...rest } = signed(text);
  const headers = { ':path': '/hook', 'Webhook-Id': [id!], ...rest, 'x-none': undefined };
  const secrets = `v1,whsec_b3RoZXItc2VjcmV0LW9mLWl0|v1,whsec_${SECRET}\n`;
  for (const body of [Buffer.from(text), new Uint8Array(Buffer.from(text))])
    expect(await verifyAuthHook({ headers, body }, secrets)).toEqual(JSON.parse(text));
});

test('what is no secret of an Auth Hook is a mistake of the program, not of whoever calls', async () => {
  const headers = signed();
  for (const secret of [SECRET, 'v1,whsec_abcde', 'v1,whsec_', `v1,whsec_${SECRET}|other`]) {
    const failed = verifyAuthHook({ headers, body }, secret);
    await expect(failed).rejects.toThrow(TypeError);
    await expect(failed).rejects.not.toThrow(SECRET);
  }
});

test('a signature of another time is refused, whether it was or will be', async () => {
  for (const seconds of [-301, 302]) {
    const at = new Date(Date.now() + seconds * 1_000);
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(SECRET).sign('msg_1', at, body),
    };
    const failed = verifyAuthHook({ headers, body }, `v1,whsec_${SECRET}`);
    await expect(failed).rejects.toThrow('It is of another time');
  }
});

test('a Database Webhook is proved by its bearer token, by the old one and the new', async () => {
  const row = { type: 'INSERT', schema: 'public', table: 'orders', record: { id: 1 }, old_record: null };
  const headers = { authorization: 'Bearer the-token-of-the-test' };
  const text = JSON.stringify({ ...row, more: 'of the platform' });
  expect(await verifyDatabaseWebhook({ headers, body: text }, ['another-token', 'the-token-of-the-test\n'])).toEqual(
    row,
  );
  await expect(verifyDatabaseWebhook({ headers, body: text }, 'another-token')).rejects.toMatchObject(refused);
  await expect(verifyDatabaseWebhook({ headers: {}, body: text }, 'another-token')).rejects.toMatchObject(refused);
  await expect(verifyDatabaseWebhook({ headers, body: '{}' }, 'the-token-of-the-test')).rejects.toMatchObject(refused);
});
