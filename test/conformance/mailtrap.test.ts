import { describe, expect, test } from 'vitest';
import type { AttributePlan } from '../../src/core/destination.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import type { SandboxOptions } from '../support/mailtrap-sandbox.ts';
import { world } from './world.ts';

describe('the life of a contact', () => {
  test.each([{}, { account_id: '77' }])('created, updated, moved, deleted (%j)', async (options) => {
    const { state, deliver, accepted } = await world(options);
    state.addField('NAME', 'text');
    const plan: AttributePlan = { NAME: 'text' };
    const first = await accepted({ address: 'ann@x.io', attributes: { NAME: 'Ann' } }, plan);
    const second = await accepted({ address: 'ann@x.io', remote: first, attributes: { NAME: 'Änne 🎈' } }, plan);
    expect(second).toEqual(first);
    const third = await accepted({ address: 'anne@x.io', remote: second, attributes: {} }, plan);
    expect(third.id).toBe(first.id);
    expect(state.contacts()).toMatchObject([{ id: first.id, email: 'anne@x.io', fields: { NAME: 'Änne 🎈' } }]);
    for (const _again of [1, 2]) {
      expect(await deliver({ action: 'delete', address: null, remote: third })).toEqual([{ kind: 'delivered' }]);
    }
    expect(state.contactCount).toBe(0);
  });

  test.each([
    'a+b@x.io',
    "o'brien@x.io",
    'ünï.cödé@exämple.io',
    'a/b@x.io',
    'a%2fb@x.io',
    'q?x=1#y@x.io',
    'a&b=c@x.io',
  ])('the address %s arrives as it is, by address and by id', async (address) => {
    const { state, deliver, accepted } = await world();
    const remote = await accepted({ address });
    await accepted({ address });
    await accepted({ address, remote });
    expect(state.contacts().map(({ email }) => email)).toEqual([address]);
    expect(await deliver({ action: 'delete', address: null, remote: { id: null, address } })).toEqual([
      { kind: 'delivered' },
    ]);
    expect(state.contactCount).toBe(0);
  });

  test.each(['flat', 'nested'] as const)(
    'a new address that another contact has (%s errors): one contact is left',
    async (errorStyle) => {
      const { state, deliver, accepted } = await world({}, { errorStyle });
      const mine = await accepted({ address: 'old@x.io' });
      await accepted({ address: 'new@x.io' });
      const change = { address: 'new@x.io', consent: 'basis' } as const;
      const [refused] = await deliver({ ...change, remote: mine });
      expect(refused).toMatchObject({ kind: 'retry', code: 'email_taken', forgetRemote: true });
      const after = await accepted({ ...change, remote: { ...mine, id: null } });
      expect(state.contacts()).toMatchObject([{ id: after.id, email: 'new@x.io' }]);
    },
  );

  test('a contact deleted at Mailtrap comes back with its lists, and without an opt-in unsubscribed', async () => {
    const { state, deliver, accepted } = await world({ lists: ['News'] }).then(async (made) => {
      made.state.addList('News');
      await made.resolve();
      return made;
    });
    const remote = await accepted({ address: 'a@x.io', consent: 'none' });
    await deliver({ action: 'delete', address: null, remote });
    expect(await deliver({ remote, consent: 'none' })).toMatchObject([{ kind: 'retry', code: 'contact_vanished' }]);
    await accepted({ address: 'a@x.io', remote: { ...remote, id: null }, consent: 'none' });
    expect(state.contact('a@x.io')).toMatchObject({ status: 'unsubscribed', list_ids: [expect.any(Number)] });
  });

  test('every type of value arrives; what is cleared is gone; a takeover leaves nothing of the former person', async () => {
    const { state, accepted } = await world();
    const types = { T: 'text', I: 'integer', F: 'float', B: 'boolean', D: 'date', S: 'timestamp', J: 'json' } as const;
    for (const [name, type] of Object.entries(types)) {
      state.addField(name, mailtrap.fields!.typeFor(type) as 'text');
    }
    const attributes: JsonObject = {
      T: 5,
      I: 41,
      F: 0.1,
      B: false,
      D: '2026-02-28',
      S: '2026-02-28T23:59:59.999999+00:00',
      J: { a: ['ü'] },
    };
    const remote = await accepted({ address: 'a@x.io', attributes }, types);
    expect(state.contact('a@x.io')?.fields).toEqual({
      T: '5',
      I: 41,
      F: 0.1,
      B: false,
      D: '2026-02-28',
      S: '2026-02-28',
      J: '{"a":["ü"]}',
    });
    await accepted({ address: 'a@x.io', remote, attributes: { T: null } }, types);
    expect(state.contact('a@x.io')?.fields).not.toHaveProperty('T');
    await accepted({ address: 'a@x.io', remote, attributes: { I: 1 }, takeover: true }, types);
    expect(state.contact('a@x.io')?.fields).toEqual({ I: 1 });
  });
});

describe('consent', () => {
  test('a profile edit never subscribes a person who left', async () => {
    const { state, accepted } = await world();
    const remote = await accepted({ address: 'a@x.io' });
    expect(state.contact('a@x.io')?.status).toBe('subscribed');
    state.suppress('a@x.io');
    await accepted({ address: 'a@x.io', remote });
    await accepted({ address: 'a@x.io' });
    expect(state.contact('a@x.io')?.status).toBe('unsubscribed');
  });

  test('no opt-in: created unsubscribed; an opt-in given at Mailtrap is then left alone', async () => {
    const { state, accepted } = await world();
    const remote = await accepted({ address: 'a@x.io', consent: 'none' });
    expect(state.contact('a@x.io')?.status).toBe('unsubscribed');
    state.unsuppress('a@x.io');
    await accepted({ address: 'a@x.io', remote, consent: 'none' });
    expect(state.contact('a@x.io')?.status).toBe('subscribed');
    await accepted({ address: 'a@x.io', remote, consent: 'opted_out' });
    expect(state.contact('a@x.io')?.status).toBe('unsubscribed');
  });

  test.each([true, false])('an opt-out moves with the address (id known: %s)', async (known) => {
    const { state, accepted, read, config } = await world();
    const created = await accepted({ address: 'old@x.io' });
    const remote = known ? created : { ...created, id: null };
    state.suppress('old@x.io');
    const looked = await read(mailtrap.lookup!(remote, config()));
    expect(looked).toEqual({ ...remote, subscription: 'unsubscribed' });
    await accepted({ address: 'new@x.io', remote: looked });
    expect(state.contacts()).toMatchObject([{ email: 'new@x.io', status: 'unsubscribed' }]);
  });

  test('a contact that is not there is looked up as null', async () => {
    const { read, config } = await world();
    expect(await read(mailtrap.lookup!({ id: null, address: 'no@x.io' }, config()))).toBeNull();
  });
});

describe('lists and fields', () => {
  test.each([
    ['once', []],
    ['keep', [expect.any(Number)]],
  ])('list_policy %s', async (policy, after) => {
    const { sandbox, state, accepted, resolve, config } = await world({ lists: ['News'], list_policy: policy });
    const { id } = state.addList('News');
    await resolve();
    const remote = await accepted({ address: 'a@x.io' });
    expect(state.contact('a@x.io')?.list_ids).toEqual([id]);
    // A marketer takes the person out.
    const out = { contact: { email: 'a@x.io', list_ids_excluded: [id] } };
    await fetch(`${config().base_url}/api/contacts/${remote.id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${sandbox.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(out),
    });
    expect(state.contact('a@x.io')?.list_ids).toEqual([]);
    await accepted({ address: 'a@x.io', remote });
    expect(state.contact('a@x.io')?.list_ids).toEqual(after);
  });

  test('a list that is not there pauses the destination, no record is burned', async () => {
    const { deliver } = await world({ lists: [999] });
    expect(await deliver({})).toMatchObject([{ kind: 'config', code: 'unknown_list' }]);
  });

  test('missing fields are created and then listed, until there is no room', async () => {
    const { state, accepted, deliver, read, config } = await world();
    const fields = mailtrap.fields!;
    expect(await deliver({ attributes: { NICK: 'A' } }, { NICK: 'text' })).toMatchObject([
      { kind: 'reject', code: 'unknown_field', field: 'NICK' },
    ]);
    expect(await read(fields.create('NICK', 'text', config()))).toEqual({ name: 'NICK', type: 'text' });
    await accepted({ address: 'a@x.io', attributes: { NICK: 'A' } }, { NICK: 'text' });
    for (let n = state.fields().length; n < fields.max; n++) state.addField(`F${n}`, 'text');
    expect(await read(fields.list(config()))).toHaveLength(fields.max);
    await expect(read(fields.create('ONE_MORE', 'text', config()))).rejects.toThrow(/field_limit.*at most 40/);
  });
});

describe('what goes wrong', () => {
  test('a wrong token and a wrong account pause the destination', async () => {
    const wrongToken = await world({ api_token: 'nonsense' });
    expect(await wrongToken.deliver({})).toMatchObject([{ kind: 'config', code: 'unauthorized' }]);
    const wrongAccount = await world({ account_id: 5 }, { accountId: '77' });
    expect(await wrongAccount.deliver({})).toMatchObject([{ kind: 'config', code: 'forbidden' }]);
  });

  test.each(['flat', 'nested'] as const)('refused records keep the vendor’s words (%s errors)', async (errorStyle) => {
    const { state, deliver } = await world({}, { errorStyle });
    state.addField('AGE', 'integer');
    expect(await deliver({ address: 'a@x.i' })).toMatchObject([
      { kind: 'reject', code: 'invalid_email', field: 'email', message: 'email: top level domain is too short' },
    ]);
    expect(await deliver({ attributes: { AGE: 'old' } }, { AGE: 'integer' })).toMatchObject([
      { kind: 'reject', code: 'invalid_field', field: 'AGE', message: 'AGE: is invalid' },
    ]);
    expect(await deliver({ address: '..' })).toMatchObject([{ kind: 'reject', code: 'invalid_email' }]);
    expect(state.contactCount).toBe(0);
  });

  test('a full plan pauses the destination, and known contacts still go through', async () => {
    const { deliver, accepted } = await world({}, { maxContacts: 1 });
    const remote = await accepted({ address: 'a@x.io' });
    expect(await deliver({ address: 'b@x.io' })).toMatchObject([{ kind: 'config', code: 'plan_limit' }]);
    await accepted({ address: 'a@x.io', remote });
  });

  test.each<[SandboxOptions['faults'], Record<string, unknown>]>([
    [[{ status: 500 }], { kind: 'retry', code: 'http_500' }],
    [[{ status: 429, retryAfter: 7 }], { kind: 'throttle', code: 'http_429', retryAfterMs: 7_000 }],
    [[{ status: 302 }], { kind: 'config', code: 'redirect' }],
    [[{ drop: 'before' }], { kind: 'unknown', code: 'connection_closed' }],
    [[{ drop: 'after' }], { kind: 'unknown', code: 'connection_closed' }],
    [[{ body: 'malformed' }], { kind: 'unknown', code: 'malformed_answer' }],
    [[{ body: 'empty' }], { kind: 'unknown', code: 'malformed_answer' }],
    [[{ body: 'html' }], { kind: 'unknown', code: 'malformed_answer' }],
    [[{ reject: 'a@x.io' }], { kind: 'reject' }],
  ])('%j, and the same delivery once more', async (faults, expected) => {
    const { sandbox, state, deliver, accepted } = await world({}, { faults });
    expect(await deliver({ address: 'a@x.io' })).toMatchObject([expected]);
    sandbox.clearFaults();
    const remote = await accepted({ address: 'a@x.io' });
    expect(state.contacts()).toMatchObject([{ id: remote.id, email: 'a@x.io' }]);
  });

  test('the real limit answers 429 to whoever goes beyond it', async () => {
    const { deliver } = await world({}, { limitsScale: 0.02 });
    const kinds: string[] = [];
    for (let n = 0; n < 6; n++) kinds.push((await deliver({ address: `p${n}@x.io` }))[0]!.kind);
    expect(kinds.filter((kind) => kind === 'throttle').length).toBeGreaterThan(0);
    expect(new Set(kinds)).toEqual(new Set(['delivered', 'throttle']));
  });
});

test('over all of this, nothing ever said subscribed', async () => {
  const { sandbox, accepted } = await world();
  const bodies: string[] = [];
  sandbox.onCall((call) => bodies.push(call.body));
  for (const consent of ['basis', 'none', 'opted_out'] as const) {
    const remote = await accepted({ address: `${consent}@x.io`, consent });
    await accepted({ address: `new-${consent}@x.io`, remote, consent });
  }
  expect(bodies).toHaveLength(6);
  expect(bodies.join()).toContain('"unsubscribed":true');
  expect(bodies.join()).not.toMatch(/"unsubscribed":\s*false/);
});
