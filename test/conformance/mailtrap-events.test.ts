import { randomUUID } from 'node:crypto';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { mailtrap } from '../../src/destinations/mailtrap/index.ts';
import type { SandboxOptions } from '../support/mailtrap-sandbox.ts';
import { world } from './world.ts';

describe('events', () => {
  const named = (...names: string[]) =>
    names.map((name) => ({ id: randomUUID(), name, properties: {}, at: '2026-05-06T07:08:09.123456Z' }));

  test.each([{}, { account_id: '77' }])('arrive flat and exact, by id and by address (%j)', async (options) => {
    const { state, accepted, tell } = await world(options);
    const remote = await accepted({ address: 'a+b@x.io' });
    const properties: JsonObject = {
      big: new LosslessNumber('9007199254740993'),
      exact: new LosslessNumber('0.1234567890123456789'),
      text: 'ü 🎈',
      no: false,
      nothing: null,
      at: '2026-05-06T07:08:09.123456+00:00',
      list: [1, { n: new LosslessNumber('9007199254740995') }],
      object: {},
    };
    expect(await tell('by id', remote, properties)).toEqual({ kind: 'delivered' });
    expect(await tell('by address', { ...remote, id: null })).toEqual({ kind: 'delivered' });
    const flat = { ...properties, list: '[1,{"n":9007199254740995}]', object: '{}' };
    expect(state.contactEvents(remote.id!)).toMatchObject([
      { name: 'by id', email: 'a+b@x.io', params: flat },
      { name: 'by address', params: {} },
    ]);
  });

  test.each(['flat', 'nested'] as const)('what is refused names what is at fault (%s errors)', async (errorStyle) => {
    const { state, accepted, tell } = await world({}, { errorStyle });
    const remote = await accepted({ address: 'a@x.io' });
    const limit = mailtrap.eventLimits!;
    expect(await tell('x'.repeat(limit.name + 1), remote)).toMatchObject({
      kind: 'reject',
      code: 'invalid_event',
      field: 'name',
    });
    for (const properties of [{ ['k'.repeat(limit.property + 1)]: 1 }, { note: 'x'.repeat(10_000) }]) {
      const [field] = Object.keys(properties);
      expect(await tell('e', remote, properties)).toMatchObject({ kind: 'reject', code: 'invalid_property', field });
    }
    expect(state.contactEvents()).toEqual([]);
    const longest = { ['k'.repeat(limit.property)]: 1 };
    expect(await tell('x'.repeat(limit.name), remote, longest)).toEqual({ kind: 'delivered' });
  });

  test('a contact that was deleted at Mailtrap: its state is wanted again, and then the event arrives', async () => {
    const { state, deliver, accepted, unit } = await world();
    const remote = await accepted({ address: 'a@x.io' });
    await deliver({ action: 'delete', address: null, remote });
    const events = named('one', 'two');
    expect(await unit({ sendState: false, remote, events })).toEqual({
      state: undefined,
      events: [expect.objectContaining({ kind: 'retry', code: 'contact_missing', forgetRemote: true })],
    });
    const after = await unit({ remote: { ...remote, id: null }, events });
    expect(after).toMatchObject({ state: { kind: 'delivered', created: true }, events: [{}, {}] });
    expect(state.contactEvents('a@x.io').map(({ name }) => name)).toEqual(['one', 'two']);
  });

  test('a first delivery brings its events along; before a delete they go once, whatever becomes of them', async () => {
    const { sandbox, state, unit } = await world();
    const { state: created, events } = await unit({ events: named('one', 'two') });
    expect(events).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
    const remote = { address: 'a@x.io', id: created?.kind === 'delivered' ? (created.remoteId ?? null) : null };
    sandbox.addFaults([{ match: { path: '/events$' }, status: 500, count: 1 }]);
    const left = await unit({ action: 'delete', address: null, remote, events: named('lost', 'last') });
    expect(left).toMatchObject({ state: { kind: 'delivered' }, events: [{ kind: 'retry' }, { kind: 'delivered' }] });
    expect(state.contactCount).toBe(0);
    expect(state.contactEvents(remote.id!).map(({ name }) => name)).toEqual(['one', 'two', 'last']);
  });

  test('an answer that was lost: twice at Mailtrap, or with at most once not repeated', async () => {
    const { sandbox, state, accepted, unit } = await world();
    const remote = await accepted({ address: 'a@x.io' });
    const lose = { match: { path: '/events$' }, drop: 'after', count: 1 } as const;
    const events = named('one');
    sandbox.addFaults([lose]);
    expect((await unit({ sendState: false, remote, events })).events).toMatchObject([{ kind: 'unknown' }]);
    expect((await unit({ sendState: false, remote, events })).events).toEqual([{ kind: 'delivered' }]);
    expect(state.contactEvents()).toHaveLength(2);
    sandbox.addFaults([lose]);
    expect((await unit({ sendState: false, remote, events: named('two') }, true)).events).toMatchObject([
      { kind: 'reject', code: 'unknown_not_repeated' },
    ]);
    expect(state.contactEvents()).toHaveLength(3);
  });

  test.each<[SandboxOptions['faults'], Record<string, unknown>]>([
    [[{ status: 500 }], { kind: 'retry', code: 'http_500' }],
    [[{ status: 429, retryAfter: 7 }], { kind: 'throttle', code: 'http_429', retryAfterMs: 7_000 }],
    [[{ status: 403 }], { kind: 'config', code: 'forbidden' }],
    [[{ status: 302 }], { kind: 'config', code: 'redirect' }],
    [[{ drop: 'before' }], { kind: 'unknown', code: 'connection_closed' }],
    [[{ body: 'malformed' }], { kind: 'delivered' }],
    [[{ body: 'html' }], { kind: 'delivered' }],
  ])('%j', async (faults, expected) => {
    const { sandbox, accepted, tell } = await world();
    const remote = await accepted({ address: 'a@x.io' });
    sandbox.addFaults(faults!);
    expect(await tell('one', remote)).toMatchObject(expected);
  });
});

describe('who left and shall be opted out', () => {
  test.each([true, false])('is, and nothing else changes (id known: %s)', async (known) => {
    const { state, accepted, unit } = await world();
    state.addField('NAME', 'text');
    const remote = await accepted({ address: 'a@x.io', attributes: { NAME: 'Ann' } }, { NAME: 'text' });
    const { created_at } = state.contact('a@x.io')!;
    const left = { action: 'unsubscribe', address: null, remote: known ? remote : { ...remote, id: null } } as const;
    for (const _again of [1, 2])
      expect((await unit(left)).state).toMatchObject({ kind: 'delivered', remoteId: remote.id });
    expect(state.contacts()).toMatchObject([
      { id: remote.id, email: 'a@x.io', status: 'unsubscribed', fields: { NAME: 'Ann' }, created_at },
    ]);
  });

  test('is not made again when the contact is gone there, by id or by address', async () => {
    const { state, deliver, accepted, unit } = await world();
    const remote = await accepted({ address: 'a@x.io' });
    await deliver({ action: 'delete', address: null, remote });
    const left = { action: 'unsubscribe', address: null } as const;
    expect((await unit({ ...left, remote })).state).toMatchObject({ kind: 'retry', forgetRemote: true });
    expect((await unit({ ...left, remote: { ...remote, id: null } })).state).toEqual({ kind: 'delivered' });
    expect((await unit({ ...left, remote: null })).state).toEqual({ kind: 'delivered' });
    expect(state.contactCount).toBe(0);
  });

  test('an older contact of theirs is removed', async () => {
    const { state, accepted, unit } = await world();
    await accepted({ address: 'old@x.io' });
    const remote = { ...(await accepted({ address: 'a@x.io' })), leftovers: ['old@x.io'] };
    expect((await unit({ action: 'unsubscribe', address: null, remote })).state).toMatchObject({ kind: 'delivered' });
    expect(state.contacts()).toMatchObject([{ email: 'a@x.io', status: 'unsubscribed' }]);
  });
});
