import { describe, expect, onTestFinished, test } from 'vitest';
import type { AttributePlan, Exchange, RemoteContact } from '../../src/core/destination.ts';
import { sendry } from '../../src/destinations/sendry/index.ts';
import { perform } from '../../src/engine/perform.ts';
import { delivery as claimedUnit } from '../../src/testing/delivery.ts';
import type { Claimed } from '../../src/engine/ports.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import { createUndiciSend } from '../../src/transport/undici.ts';

/** Sendry and its transport against the stand-in, over real HTTP and through the engine; closed when the test ends. */
async function world(options: Record<string, unknown> = {}, settings: Record<string, unknown> = {}) {
  const sandbox = await startSandbox({ only: ['sendry'], limitsScale: Infinity, settings: { sendry: settings } });
  const transport = createUndiciSend();
  onTestFinished(async () => {
    await transport.close();
    await sandbox.close();
  });
  const { url, token, standIn } = sandbox.of('sendry');
  standIn.addList('News');
  let config = sendry.config.parse({ ...sendry.standIn(url, token), ...options });

  async function read<Value>(exchange: Exchange<Value>): Promise<Value> {
    const result = await transport.send(exchange.request, sendry.auth(config), { deadlineMs: 5_000 });
    if (!result.answered) throw new Error(result.outcome.kind);
    const value = exchange.interpret(result.response);
    if (!value.ok) throw new Error(JSON.stringify(value.outcome));
    return value.value;
  }

  /** Has the engine perform one unit of work. */
  async function unit(parts: Partial<Claimed>, plan: AttributePlan = {}) {
    const before = sandbox.calls().length;
    const performed = await perform(claimedUnit({ address: 'a@x.io', ...parts }), {
      destination: sendry,
      config,
      plan,
      bytesPerRequest: undefined,
      send: transport.send,
      eventsAtMostOnce: false,
      permit: async () => true,
      deadlineMs: () => 5_000,
      onMistake: (error) => {
        throw error;
      },
    });
    if (!performed.begun) throw new Error('not begun');
    const calls = sandbox.calls().slice(before);
    return {
      state: performed.state?.outcome,
      events: performed.events.map(({ outcome }) => outcome),
      calls: calls.map(({ method, path }) => `${method} ${path.replace(/ct_\w+/, 'ID')}`),
    };
  }

  /** Sends somebody who must be accepted; what is then known of them. */
  async function known(address: string, parts: Partial<Claimed> = {}): Promise<RemoteContact> {
    const { state } = await unit({ ...parts, address });
    if (state?.kind !== 'delivered') throw new Error(JSON.stringify(state));
    return { address, id: state.remoteId ?? null };
  }

  async function resolve(): Promise<void> {
    config = sendry.lists!.resolve(config, (await read(sendry.lists!.all(config))).lists);
  }

  async function imported(parts: readonly Partial<Claimed>[]) {
    const rows = parts.map((each) =>
      sendry.bulk!.row({ ...each, remote: null, takeover: false } as Claimed, {}, config),
    );
    const request = sendry.bulk!.request(rows, config);
    const result = await transport.send(request, sendry.auth(config), { deadlineMs: 5_000 });
    if (!result.answered) throw new Error(result.outcome.kind);
    return sendry.bulk!.started(result.response, rows);
  }
  /** Somebody whom others made known there. */
  async function stranger(email: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/contacts`, { method: 'POST', headers, body: JSON.stringify({ email }) });
    expect(answer.status).toBe(201);
  }
  return { standIn, unit, known, stranger, read, resolve, imported, config: () => config };
}

describe('somebody who left at Sendry', () => {
  test.each(['docs', 'sdk'] as const)('stays as they are when the first delivery meets them (%s)', async (dialect) => {
    const { standIn, unit, stranger } = await world({ dialect }, { contactStyle: dialect });
    await stranger('a@x.io');
    standIn.optOut('a@x.io', 'unsubscribe');
    const { state, calls } = await unit({ attributes: { first_name: 'Ann' } });
    expect(state?.kind).toBe('delivered');
    expect(calls[0]).toContain('GET /v1/contacts/by-email');
    expect(calls.at(-1)).toBe(`${dialect === 'docs' ? 'PATCH' : 'PUT'} /v1/contacts/ID`);
    expect(standIn.contact('a@x.io')).toMatchObject({ status: 'unsubscribed', attributes: { first_name: 'Ann' } });
  });

  test('stays as they are after a lost answer, a vanished id and another address', async () => {
    const { standIn, unit, known } = await world();
    const remote = await known('a@x.io');
    standIn.optOut('a@x.io', 'unsubscribe');
    // An attempt of unknown outcome, and an id that was forgotten, leave an address alone.
    await unit({ remote: { address: 'a@x.io', id: null } });
    expect(standIn.contact('a@x.io')?.status).toBe('unsubscribed');
    await unit({ remote, address: 'b@x.io' });
    expect([standIn.contact('a@x.io'), standIn.contact('b@x.io')?.status]).toEqual([undefined, 'unsubscribed']);
    await unit({ remote: { address: 'b@x.io', id: null }, address: 'c@x.io' });
    expect([standIn.contact('b@x.io'), standIn.contact('c@x.io')?.status]).toEqual([undefined, 'unsubscribed']);
  });

  test('takes an opt-out along to somebody else’s contact', async () => {
    const { standIn, unit, known } = await world();
    await known('old@x.io');
    await known('new@x.io');
    standIn.optOut('old@x.io', 'unsubscribe');
    const { state } = await unit({ remote: { address: 'old@x.io', id: null }, address: 'new@x.io' });
    expect(state?.kind).toBe('delivered');
    expect([standIn.contact('old@x.io'), standIn.contact('new@x.io')?.status]).toEqual([undefined, 'unsubscribed']);
  });

  test('is brought back by a vendor that resets, once the setting says that it does not', async () => {
    const { standIn, unit, known } = await world({ upsert_keeps_unsubscribed: true });
    await known('a@x.io');
    standIn.optOut('a@x.io', 'unsubscribe');
    expect((await unit({})).calls).toEqual(['POST /v1/contacts']);
    expect(standIn.contact('a@x.io')?.status).toBe('subscribed');
  });

  test('and by one that does not, not', async () => {
    const { standIn, unit, known } = await world({ upsert_keeps_unsubscribed: true }, { upsertResets: false });
    await known('a@x.io');
    standIn.optOut('a@x.io', 'unsubscribe');
    await unit({});
    expect(standIn.contact('a@x.io')?.status).toBe('unsubscribed');
  });
});

describe('a contact', () => {
  test('is created, updated, moved and deleted; deleted again it is gone', async () => {
    const { standIn, unit, known, resolve } = await world({ audience_id: 'News' });
    await resolve();
    const remote = await known('a+b@x.io', { attributes: { first_name: 'A', plan: 'pro', n: { deep: [1] } } });
    expect(standIn.contact('a+b@x.io')).toMatchObject({
      attributes: { first_name: 'A', plan: 'pro', n: { deep: [1] } },
      lists: ['News'],
    });
    await unit({ remote, address: 'c@x.io', attributes: { plan: null } });
    expect(standIn.contact('c@x.io')).toMatchObject({ id: remote.id, attributes: { first_name: 'A' } });
    const gone = { action: 'delete', address: null, remote: { ...remote, address: 'c@x.io' } } as const;
    for (let times = 0; times < 2; times += 1) expect((await unit(gone)).state).toEqual({ kind: 'delivered' });
    const byAddress = { ...gone, remote: { id: null, address: 'c@x.io' } };
    expect((await unit(byAddress)).calls).toEqual(['GET /v1/contacts/by-email?email=c%40x.io']);
    expect(standIn.contactCount).toBe(0);
  });

  test('with an audience that is not there stops the destination', async () => {
    const { unit } = await world({ audience_id: 'aud_no' });
    expect((await unit({})).state).toMatchObject({ kind: 'config', code: 'unknown_list' });
  });

  test('who was there before joins the audience', async () => {
    const { standIn, unit, stranger, resolve, config } = await world({ audience_id: 'News' });
    await resolve();
    const members = `POST /v1/audiences/${String(config().audience_id)}/contacts`;
    await stranger('a@x.io');
    await stranger('b@x.io');
    expect((await unit({})).calls.slice(1)).toEqual([members, 'PATCH /v1/contacts/ID']);
    const said = await unit({ address: 'b@x.io', consent: 'opted_out' });
    expect(said.calls.slice(1)).toEqual(['PATCH /v1/contacts/ID', members]);
    expect([...standIn.contacts()]).toMatchObject([
      { status: 'subscribed', lists: ['News'] },
      { status: 'unsubscribed', lists: ['News'] },
    ]);
  });

  test('audiences are made by name', async () => {
    const { standIn, read, config } = await world();
    const { id, name } = await read(sendry.lists!.create('VIP', config()));
    expect(standIn.lists()).toContainEqual({ id, name });
  });

  test('who left is opted out by address, and nobody is made known by that', async () => {
    const { standIn, unit, known } = await world();
    await known('a@x.io');
    const left = (address: string): Partial<Claimed> => ({
      action: 'unsubscribe',
      address: null,
      consent: 'none',
      remote: { id: null, address },
    });
    expect((await unit(left('a@x.io'))).state?.kind).toBe('delivered');
    expect(standIn.contact('a@x.io')?.status).toBe('unsubscribed');
    expect((await unit(left('no@x.io'))).calls).toHaveLength(1);
    expect(standIn.contactCount).toBe(1);
  });

  test('a taken address leads to whoever has it, and nobody is left over', async () => {
    const { standIn, unit, known } = await world();
    const remote = await known('a@x.io');
    const other = await known('b@x.io');
    const taken = await unit({ remote, address: 'b@x.io' });
    expect(taken.state).toMatchObject({ kind: 'retry', code: 'email_taken', forgetRemote: true });
    const next = await unit({ remote: { ...remote, id: null }, address: 'b@x.io', attributes: { first_name: 'B' } });
    expect(next.state).toMatchObject({ kind: 'delivered', remoteId: other.id });
    expect([...standIn.contacts()].map(({ address }) => address)).toEqual(['b@x.io']);
  });

  test('an event arrives once, by id or by address', async () => {
    const { standIn, unit, known } = await world();
    const remote = await known('a@x.io');
    const events = [{ id: 'e-1', name: 'paid', properties: { total: 1.5 }, at: '2026-05-06T07:08:09.123456Z' }];
    for (const each of [remote, { ...remote, id: null }]) {
      const done = await unit({ sendState: false, remote: each, events });
      expect(done.events).toEqual([{ kind: 'delivered' }]);
    }
    expect(standIn.events()).toMatchObject([{ name: 'paid', key: 'e-1', properties: { total: 1.5 } }]);
  });
});

describe('imports', () => {
  const basis = { consent: 'basis', action: 'upsert' } as const;

  test.each([
    ['import', 'sdk'],
    ['import', 'docs'],
    ['bulk-import', 'sdk'],
    ['bulk-import', 'docs'],
  ] as const)('by %s, answered as in the %s', async (bulk, importAnswer) => {
    const { standIn, imported, resolve } = await world(
      { bulk, audience_id: 'News', attributes_as: 'properties' },
      { importAnswer },
    );
    await resolve();
    const started = await imported([
      { ...basis, address: 'a@x.io', attributes: { first_name: 'Ö, "x"', supabase_user_id: 'u-1' } },
      { ...basis, address: 'b@x.io', attributes: {} },
    ]);
    expect(started).toEqual({ kind: 'answered', outcome: { kind: 'delivered' }, rows: new Map() });
    expect(standIn.contact('a@x.io')).toMatchObject({
      attributes: { first_name: 'Ö, "x"', supabase_user_id: 'u-1' },
      lists: ['News'],
    });
  });

  test('rows that are refused are named, or the request is halved', async () => {
    const people = [
      { ...basis, address: 'a@x.io', attributes: {} },
      { ...basis, address: 'no', attributes: {} },
    ];
    const named = await (await world({}, { importAnswer: 'docs' })).imported(people);
    expect(named.kind === 'answered' && [...named.rows.keys()]).toEqual([1]);
    const counted = await (await world()).imported(people);
    expect(counted).toMatchObject({ kind: 'failed', outcome: { kind: 'reject', code: 'rows_skipped' } });
  });

  test('one over the plan stops the destination', async () => {
    const { imported } = await world({}, { maxContacts: 0, errorStyle: 'sdk' });
    expect(await imported([{ ...basis, address: 'a@x.io', attributes: {} }])).toMatchObject({
      outcome: { kind: 'config', code: 'plan_limit' },
    });
  });
});

test('opt-outs are read to the end', async () => {
  const { standIn, read, config } = await world();
  for (let n = 0; n < 150; n += 1) standIn.optOut(`p${n}@x.io`, n % 2 === 0 ? 'unsubscribe' : 'bounce');
  const found = new Map<string, string>();
  let pages = 0;
  for (let after: string | undefined; ; pages += 1) {
    const { rows, next } = await read(sendry.suppressions!.page(after, config()));
    for (const { address, reason } of rows) found.set(address, reason);
    if (next === undefined) break;
    after = next;
  }
  expect([found.size, found.get('p0@x.io'), found.get('p149@x.io'), pages]).toEqual([150, 'unsubscribe', 'bounce', 2]);
});

test('a key that may only read passes the probe and stops at the first contact', async () => {
  const { unit, config } = await world({ api_key: 'sn_live_read' }, { keys: { sn_live_read: 'read_only' } });
  const request = sendry.probe(config());
  if (request === null) throw new Error('expected a probe');
  const answer = await fetch(request.url, { headers: { authorization: 'Bearer sn_live_read' } });
  expect(answer.status).toBe(200);
  expect((await unit({})).state).toMatchObject({ kind: 'config', code: 'insufficient_scope' });
});
