import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { startEdgeFunction } from '../support/edge-function.ts';
import { eventually } from '../support/people.ts';
import { createWorld } from '../support/world.ts';

const SECRET = 'c2VjcmV0LW9mLXRoZS1hdXRoLWhvb2tzLW9mLXRoZS10ZXN0';

test('an Auth Hook that is signed is answered at once, whatever else is wrong; any other is refused', async () => {
  const world = await createWorld();
  // Nobody answers there: what fails is ours, and no sign-up's concern.
  const away = world.yaml.replace(/^database_url: .*$/m, 'database_url: "postgresql://postgres@127.0.0.1:9/none"');
  const edge = await startEdgeFunction(away, {
    types: ['mailtrap'],
    env: { ROLLCALL_AUTH_HOOK_SECRET: `v1,whsec_b3RoZXItc2VjcmV0LW9mLWl0|v1,whsec_${SECRET}` },
  });
  const body = JSON.stringify({ metadata: { name: 'before-user-created' }, user: { email: 'ann@example.com' } });
  const at = new Date();
  const signed = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': `v1,AAAA, ${new Webhook(SECRET).sign('msg_1', at, body)}`,
  };
  const answer = await edge.post('/hooks/auth', body, signed);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('application/json');
  expect(await answer.json()).toEqual({});
  expect((await edge.post('/hooks/auth', `${body} `, signed)).status).toBe(401);
  expect((await edge.post('/hooks/auth', body)).status).toBe(401);
  // Whoever may wake us is told what is wrong, by its code.
  expect(await edge.post('/tick').then((tick) => tick.json())).toEqual({ error: 'RC_DATABASE_UNREACHABLE' });
});

test('a webhook of a destination is proved and stored, and the next delivery says no', async () => {
  const world = await createWorld({ destination: 'webhook_secrets: [the-secret-of-the-webhook]' });
  const edge = await startEdgeFunction(world.yaml, { types: ['mailtrap'] });
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await edge.tick();
  const contact = world.sandbox.state.contacts()[0]!;
  expect(contact.status).toBe('subscribed');
  const body = JSON.stringify({
    events: [
      {
        event: 'unsubscribe',
        email: 'ann@example.com',
        event_id: 'e1',
        message_id: 'm1',
        timestamp: Math.floor(Date.now() / 1_000) + 1,
      },
    ],
  });
  const signature = createHmac('sha256', 'the-secret-of-the-webhook').update(body).digest('hex');
  expect((await edge.post('/webhooks/mailtrap', body, { 'mailtrap-signature': `${signature.slice(1)}0` })).status).toBe(
    401,
  );
  expect((await edge.post('/webhooks/elsewhere', body, { 'mailtrap-signature': signature })).status).toBe(404);
  expect((await edge.post('/webhooks/mailtrap', body, { 'mailtrap-signature': signature })).status).toBe(200);
  await eventually(async () => {
    const { rows } = await world.db.app.query(`select from rollcall.consent where kind = 'opt_out'`);
    return rows.length === 1;
  });
});
