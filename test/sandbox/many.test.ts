import { afterEach, beforeEach, expect, it } from 'vitest';
import makeMailtrap from '../../src/destinations/mailtrap/sandbox/index.ts';
import { registry } from '../../src/destinations/registry.ts';
import { standInIds } from '../../src/sandbox/find-stand-ins.ts';
import type { StandInMaker } from '../../src/sandbox/stand-in.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox, SandboxOptions } from '../../src/sandbox/types.ts';

let sandbox: Sandbox;
const open: Sandbox[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const standIns = { mailtrap: makeMailtrap, other: makeMailtrap };
  const started = await startSandbox({ limitsScale: Infinity, standIns, ...options });
  open.push(started);
  return started;
}
beforeEach(async () => {
  sandbox = await start();
});

async function patch(to: string, email: string, more: object = {}, from = sandbox): Promise<Response> {
  const { url, token } = from.of(to);
  return await fetch(`${url}/api/contacts/${encodeURIComponent(email)}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ contact: { email, ...more } }),
  });
}

async function control(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(`${sandbox.url}/_sandbox/${path}`, {
    method,
    headers: { authorization: `Bearer ${sandbox.controlKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

it('has a stand-in of every destination', () => {
  expect(standInIds).toEqual(registry.map(({ id }) => id));
});

it.each(standInIds)('%s is told of, saved, loaded and emptied as any other', async (id) => {
  const one = await start({ only: [id], standIns: undefined });
  const { standIn, url, token } = one.of(id);
  standIn.addList('Users');
  standIn.optOut('ann@example.com', 'complaint');
  const answer = await fetch(`${url}/no/such/path`, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status >= 400, one.calls()[0]?.destination]).toEqual([true, id]);
  const saved = one.save();
  const again = await start({ only: [id], standIns: undefined, state: saved });
  expect(again.save()).toEqual(saved);
  expect(again.of(id).standIn.lists()).toEqual(standIn.lists());
  one.reset();
  expect([standIn.lists(), standIn.contactCount, standIn.eventCount, one.calls()]).toEqual([[], 0, 0, []]);
  const events = [{ address: 'ann@example.com', reason: 'unsubscribe' as const }];
  const requests = standIn.webhooks?.(events, 'whsec_c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz', 1_700_000_000_000) ?? [];
  for (const { body } of requests) expect(body).toContain('ann@example.com');
});

it('serves each under its own path, with its own contacts, keys and limits', async () => {
  const own = await start({ tokens: { other: 'its-own-key' }, settings: { other: { maxContacts: 1 } } });
  expect(own.destinations.map(({ id, url, token }) => [id, url, token])).toEqual([
    ['mailtrap', `${own.url}/mailtrap`, 'sandbox-token'],
    ['other', `${own.url}/other`, 'its-own-key'],
  ]);
  for (const to of ['mailtrap', 'other']) expect((await patch(to, 'a@example.com', {}, own)).status).toBe(200);
  expect((await patch('mailtrap', 'b@example.com', {}, own)).status).toBe(200);
  expect((await patch('other', 'b@example.com', {}, own)).status).toBe(422);
  expect(own.destinations.map(({ standIn }) => standIn.contactCount)).toEqual([2, 1]);
  expect(() => own.of('nowhere')).toThrow(expect.objectContaining({ code: 'RC_SANDBOX_DESTINATION' }));
  expect(own.calls().map(({ destination, path }) => [destination, path])).toContainEqual([
    'other',
    '/api/contacts/b%40example.com',
  ]);
  expect(own.counters().byDestination).toEqual({
    mailtrap: { calls: 2, byStatus: { 200: 2 } },
    other: { calls: 2, byStatus: { 200: 1, 422: 1 } },
  });
});

it.each(['/nowhere/api', '/api/contacts', '/mailtra', '/mailtrapp/api'])(
  'answers %s with what it serves',
  async (path) => {
    const answer = await fetch(sandbox.url + path, { headers: { authorization: 'Bearer sandbox-token' } });
    expect([answer.status, await answer.text()]).toEqual([404, 'Nothing is here. Served: /mailtrap, /other\n']);
    expect(sandbox.calls()).toEqual([]);
  },
);

it('keeps faults to the destination they name', async () => {
  sandbox.addFaults([
    { status: 500, match: { destination: 'other' } },
    { reject: 'bad@example.com', match: { destination: 'mailtrap' } },
  ]);
  expect([(await patch('other', 'a@example.com')).status, (await patch('mailtrap', 'a@example.com')).status]).toEqual([
    500, 200,
  ]);
  expect((await patch('mailtrap', 'bad@example.com')).status).toBe(422);
  expect(() => sandbox.addFaults([{ status: 500, match: { destination: 'nowhere' } }])).toThrow(
    expect.objectContaining({ code: 'RC_FAULT_INVALID' }),
  );
});

it('finds contacts, events and calls by what is in them, newest last', async () => {
  sandbox.of('mailtrap').standIn.addField('name', 'text');
  await patch('mailtrap', 'ann@example.com', { fields: { name: 'Zoë' } });
  await patch('other', 'ann@example.com');
  await patch('other', 'ben@example.com');
  const { url, token } = sandbox.of('mailtrap');
  const body = JSON.stringify({ name: 'order_placed', params: { who: 'zoë' } });
  await fetch(`${url}/api/contacts/ann%40example.com/events`, {
    method: 'POST',
    headers: { 'api-token': token },
    body,
  });
  const found = async (query: string) =>
    (await control('GET', `search?${query}`)).json as Record<
      'contacts' | 'events' | 'calls',
      { destination: string }[]
    >;
  expect(await found('q=ZO%C3%8B')).toMatchObject({
    contacts: [{ destination: 'mailtrap', address: 'ann@example.com', attributes: { name: 'Zoë' } }],
    events: [{ destination: 'mailtrap', name: 'order_placed' }],
    calls: [{ n: 1 }, { n: 4 }],
  });
  const others = await found('destination=other');
  expect(others.contacts).toMatchObject([{ address: 'ann@example.com' }, { address: 'ben@example.com' }]);
  expect(others.calls).toMatchObject([{ n: 2 }, { n: 3 }]);
  expect((await found('q=ben@')).calls).toMatchObject([{ n: 3 }]);
  expect((await control('GET', 'search?destination=nowhere')).status).toBe(400);
});

it('tells of one call and of one contact with what changed its consent', async () => {
  await patch('mailtrap', 'ann@example.com', { unsubscribed: true });
  expect((await control('GET', 'calls/1')).json).toMatchObject({
    destination: 'mailtrap',
    headers: { authorization: '[redacted]' },
    status: 200,
    answerHeaders: { 'content-type': 'application/json; charset=utf-8' },
    answer: expect.stringContaining('"action":"created"'),
  });
  expect((await control('GET', 'calls/2')).status).toBe(400);
  await control('POST', 'opt-ins', { destination: 'mailtrap', address: 'ann@example.com' });
  expect((await control('GET', 'contact?destination=mailtrap&contact=ann@example.com')).json).toMatchObject({
    contact: { status: 'subscribed' },
    webhooks: true,
    consent: [
      { status: 'unsubscribed', call: 'PATCH /api/contacts/ann%40example.com' },
      { status: 'subscribed', call: null },
    ],
  });
  expect((await control('GET', 'contact?destination=other&contact=ann@example.com')).status).toBe(400);
  expect((await control('GET', 'destinations')).json).toMatchObject({
    destinations: [{ id: 'mailtrap', url: `${sandbox.url}/mailtrap`, contacts: 1, webhooks: true }, { id: 'other' }],
  });
});

it('tells nobody of opt-outs until a receiver is set, and shows no secret of it', async () => {
  const person = { destination: 'mailtrap', address: 'ann@example.com', reason: 'complaint' };
  expect((await control('POST', 'opt-outs', person)).json).toEqual({ told: [] });
  const set = { destination: 'mailtrap', url: 'http://127.0.0.1:1/hook', secret: 'do not tell' };
  const listed = { receivers: [{ destination: 'mailtrap', url: 'http://127.0.0.1:1/hook' }] };
  expect(await control('POST', 'receivers', set)).toEqual({ status: 201, json: listed });
  expect((await control('GET', 'receivers')).json).toEqual(listed);
  expect((await control('POST', 'opt-outs', person)).json).toMatchObject({
    told: [{ status: 0, acknowledged: false }],
  });
  expect((await control('DELETE', 'receivers/mailtrap')).json).toEqual({ receivers: [] });
});

it('sets no receiver where a destination tells of no opt-outs', async () => {
  const mute: StandInMaker = (options) => {
    const standIn = makeMailtrap(options);
    return Object.defineProperty(standIn, 'webhooks', { value: undefined });
  };
  sandbox = await start({ standIns: { mute } });
  const receiver = { destination: 'mute', url: 'http://127.0.0.1:1/', secret: 'secret' };
  const refused = { status: 400, json: { error: expect.objectContaining({ code: 'RC_SANDBOX_WEBHOOK_NONE' }) } };
  expect(await control('POST', 'receivers', receiver)).toEqual(refused);
  const optOuts = [{ address: 'a@example.com', reason: 'bounce' }];
  expect(await control('POST', 'webhooks/send', { ...receiver, optOuts })).toEqual(refused);
});
