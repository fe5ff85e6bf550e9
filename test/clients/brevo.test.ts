import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Brevo, BrevoClient } from '@getbrevo/brevo';
import { afterEach, describe, expect, test } from 'vitest';
import type { Operation } from '../../src/core/destination.ts';
import { brevo } from '../../src/destinations/brevo/index.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { Sandbox } from '../../src/sandbox/types.ts';

// The official client, as it is, against the stand-in; and what we send ourselves, in its types.

const open: Sandbox[] = [];
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close();
});

async function start(options: Parameters<typeof startSandbox>[0] = {}) {
  const sandbox = await startSandbox({ only: ['brevo', 'tajo'], limitsScale: Infinity, ...options });
  open.push(sandbox);
  const { url, token, standIn } = sandbox.of('brevo');
  // Its own retries wait a second at least.
  const client = new BrevoClient({ apiKey: token, baseUrl: url, maxRetries: 0 });
  return { sandbox, client, standIn };
}

describe('the official client against the stand-in', () => {
  test('makes, reads, moves and deletes contacts', async () => {
    const { client, standIn } = await start();
    const list = Number(standIn.addList('News'));
    const made = await client.contacts.createContact({
      email: 'a@x.yz',
      attributes: { FIRSTNAME: 'Ada', SMS: '+491511234567' },
      listIds: [list],
    });
    const id = made?.id ?? 0;
    expect(id).toBeGreaterThan(0);
    await client.contacts.createContact({ email: 'a@x.yz', updateEnabled: true, emailBlacklisted: true });
    await client.contacts.updateContact({
      identifier: id,
      identifierType: 'contact_id',
      attributes: { EMAIL: 'b@x.yz' },
    });
    const read = await client.contacts.getContactInfo({ identifier: 'b@x.yz', identifierType: 'email_id' });
    expect(read).toMatchObject({ id, emailBlacklisted: false, listIds: [list], attributes: { FIRSTNAME: 'Ada' } });
    const all = await client.contacts.getContacts({ limit: 10, offset: 0, sort: 'asc' });
    expect([all.count, all.contacts[0]?.email]).toEqual([1, 'b@x.yz']);
    await client.contacts.deleteContact({ identifier: id, identifierType: 'contact_id' });
    await expect(client.contacts.getContactInfo({ identifier: id })).rejects.toBeInstanceOf(Brevo.NotFoundError);
  });

  test('knows its errors by their types', async () => {
    const { client } = await start({ settings: { brevo: { processingMs: 60_000 } } });
    await client.contacts.createContact({ email: 'a@x.yz' });
    const twice = client.contacts.createContact({ email: 'a@x.yz' });
    await expect(twice).rejects.toMatchObject({ statusCode: 400, body: { code: 'duplicate_parameter' } });
    const early = client.contacts.createContact({ email: 'a@x.yz', updateEnabled: true });
    await expect(early).rejects.toBeInstanceOf(Brevo.TooEarlyError);
    const stranger = new BrevoClient({ apiKey: 'no', baseUrl: open[0]!.of('brevo').url, maxRetries: 0 });
    await expect(stranger.account.getAccount()).rejects.toMatchObject({
      statusCode: 401,
      body: { code: 'unauthorized' },
    });
  });

  test('reads the account, folders, lists and attributes, and makes them', async () => {
    const { client } = await start();
    expect((await client.account.getAccount()).plan[0]?.type).toBe('free');
    const { folders } = await client.contacts.getFolders({ limit: 10, offset: 0 });
    const folderId = folders?.[0]?.id ?? 0;
    const { id } = await client.contacts.createList({ name: 'News', folderId });
    expect((await client.contacts.getLists({ limit: 50 })).lists).toMatchObject([{ id, name: 'News', folderId }]);
    await client.contacts.createAttribute({ attributeCategory: 'normal', attributeName: 'AGE', type: 'float' });
    const { attributes } = await client.contacts.getAttributes();
    expect(attributes).toContainEqual({ name: 'AGE', category: 'normal', type: 'float' });
    await client.contacts.createContact({ email: 'a@x.yz' });
    const added = await client.contacts.addContactToList({ listId: id, body: { emails: ['a@x.yz', 'b@x.yz'] } });
    expect(added.contacts).toEqual({ success: ['a@x.yz'], failure: ['b@x.yz'] });
    const again = client.contacts.addContactToList({ listId: id, body: { emails: ['a@x.yz'] } });
    await expect(again).rejects.toMatchObject({ body: { message: 'Contact already in list and/or does not exist' } });
  });

  test('imports, is told when that has ended, and asks how', async () => {
    const { client, standIn } = await start({ jobStepMs: 5 });
    const receiver = createServer((_, answer) => answer.end()).listen(0, '127.0.0.1');
    const called = once(receiver, 'request');
    await once(receiver, 'listening');
    const list = Number(standIn.addList('News'));
    const { processId } = await client.contacts.importContacts({
      jsonBody: [{ email: 'a@x.yz', attributes: { FIRSTNAME: 'Ada' } }, { email: 'no address' }],
      listIds: [list],
      disableNotification: true,
      notifyUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks/secret`,
    });
    const [request] = (await called) as [{ method: string; url: string }];
    receiver.close();
    expect([request.method, request.url]).toEqual(['POST', '/hooks/secret']);
    const done = await client.process.getProcess({ processId });
    expect(done).toMatchObject({ id: processId, name: 'IMPORTUSER', status: 'completed' });
    const report = await fetch(done.info?.import?.invalid_emails ?? '');
    expect(await report.text()).toBe('EMAIL\nno address\n');
    expect(standIn.contact('a@x.yz')).toMatchObject({ lists: ['News'], attributes: { FIRSTNAME: 'Ada' } });
  });

  test('sends events, one and many', async () => {
    const { client, standIn } = await start();
    const identifiers = { email_id: 'a@x.yz' };
    await client.event.createEvent({ event_name: 'one', identifiers, event_properties: { total: 5 } });
    const accepted = await client.event.createBatchEvents({ events: [{ event_name: 'two', identifiers }] });
    expect(accepted.count).toBe(1);
    expect(standIn.events().map(({ name }) => name)).toEqual(['one', 'two']);
  });

  test('Tajo has an account of its own with the same API', async () => {
    const { sandbox, client } = await start();
    await client.contacts.createContact({ email: 'a@x.yz' });
    const { url, token, standIn } = sandbox.of('tajo');
    const other = new BrevoClient({ apiKey: token, baseUrl: url });
    await other.contacts.createContact({ email: 'b@x.yz' });
    expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['b@x.yz']);
  });
});

describe('what we send, in the types of the official client', () => {
  const config = brevo.config.parse({ api_key: 'key', lists: [2] });
  const delivery = { contactId: '1', version: '1', action: 'upsert', takeover: false } as const;
  const plan = { FIRSTNAME: 'text', VIP: 'boolean', AGE: 'integer', BORN: 'date' } as const;
  const attributes = { FIRSTNAME: 'Ada', VIP: true, AGE: 41, BORN: '1985-02-03' };
  const sent = (operations: readonly Operation[]) => operations.map(({ body }) => body);

  test('a create', () => {
    const whole = { ...delivery, address: 'a@x.yz', remote: null, attributes, consent: 'none' } as const;
    const expected: Brevo.CreateContactRequest = {
      email: 'a@x.yz',
      updateEnabled: true,
      attributes: { FIRSTNAME: 'Ada', VIP: true, AGE: 41, BORN: '1985-02-03' },
      listIds: [2],
      emailBlacklisted: true,
    };
    expect(sent(brevo.encode(whole, plan, config))).toEqual([expected]);
  });

  test('a change of address', () => {
    const remote = { id: '42', address: 'old@x.yz' };
    const whole = { ...delivery, address: 'a@x.yz', remote, attributes: {}, consent: 'opted_out' } as const;
    const expected: Omit<Brevo.UpdateContactRequest, 'identifier'>[] = [
      { attributes: { EMAIL: 'a@x.yz' }, emailBlacklisted: true },
      { emailBlacklisted: true },
    ];
    expect(sent(brevo.encode(whole, plan, config))).toEqual(expected);
  });

  test('an import', () => {
    const whole = { ...delivery, address: 'a@x.yz', remote: null, attributes, consent: 'basis' } as const;
    const expected: Brevo.ImportContactsRequest = {
      jsonBody: [{ email: 'a@x.yz', attributes }],
      listIds: [2],
      updateExistingContacts: true,
      emptyContactsAttributes: false,
      disableNotification: true,
    };
    const { body } = brevo.bulk!.request([brevo.bulk!.row(whole, plan, config)], config);
    expect(JSON.parse(body ?? '')).toEqual(expected);
  });

  test('events', () => {
    const event = { id: '1', name: 'order.placed', properties: { total: 5 }, at: '2026-05-06T07:08:09.123456Z' };
    const operation = brevo.encodeEvent!(event, { id: '42', address: 'a@x.yz' }, config);
    const one = {
      event_name: 'order_placed',
      event_date: '2026-05-06T07:08:09.123Z',
      identifiers: { contact_id: 42 },
      event_properties: { total: 5 },
    } satisfies Brevo.CreateEventRequest;
    expect(operation.body).toEqual(one);
    const two: Brevo.CreateBatchEventsRequest = { events: [one, one] };
    expect(JSON.parse(brevo.request([operation, operation], config).body ?? '')).toEqual(two);
  });
});
