import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, testBed, type TestBed } from './client.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await testBed();
});
afterEach(closeAll);

async function patch(email: string): Promise<number> {
  return (await bed.call('PATCH', `/api/contacts/${encodeURIComponent(email)}`, { contact: { email } })).status;
}

it('needs the control key on every path', async () => {
  const paths = ['state', 'calls', 'events', 'faults', 'nothing'];
  for (const path of paths) {
    for (const key of ['', 'Bearer wrong', `Bearer ${bed.sandbox.token}`]) {
      const answer = await fetch(`${bed.sandbox.url}/_sandbox/${path}`, { headers: { authorization: key } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  }
  const reset = await fetch(`${bed.sandbox.url}/_sandbox/reset`, { method: 'POST' });
  expect(reset.status).toBe(401);
});

it('shows the state and the calls, without credentials', async () => {
  bed.sandbox.state.addField('plan', 'text');
  await patch('a@example.com');
  await bed.control('POST', '/_sandbox/opt-outs', { destination: 'mailtrap', address: 'a@example.com' });
  expect((await bed.control('GET', '/_sandbox/state')).json).toMatchObject({
    destinations: {
      mailtrap: {
        contacts: [{ email: 'a@example.com' }],
        lists: [],
        fields: [{ mergeTag: 'plan' }],
        suppressions: [{ email: 'a@example.com', type: 'unsubscription' }],
      },
    },
  });
  const calls = await bed.control('GET', '/_sandbox/calls?last=1');
  expect(calls.json).toMatchObject({
    counters: { calls: 1, byStatus: { 200: 1 } },
    calls: [{ n: 1, destination: 'mailtrap', method: 'PATCH', path: '/api/contacts/a%40example.com', status: 200 }],
  });
  expect(calls.text).not.toContain(bed.sandbox.token);
});

it('takes fault rules as data or as on the command line, lists and clears them', async () => {
  const added = await bed.control('POST', '/_sandbox/faults', {
    rules: ['status=500,count=1', { drop: 'after', rate: 0 }],
  });
  expect([added.status, added.json]).toEqual([
    201,
    {
      faults: [
        { rule: { status: 500, count: 1 }, left: 1 },
        { rule: { drop: 'after', rate: 0 }, left: null },
      ],
    },
  ]);
  expect((await bed.control('POST', '/_sandbox/faults', { rule: 'latency=1ms' })).status).toBe(201);
  expect((await bed.control('POST', '/_sandbox/faults', { status: 502, rate: 0 })).status).toBe(201);
  expect(await patch('a@example.com')).toBe(500);
  expect((await bed.control('DELETE', '/_sandbox/faults')).json).toEqual({ faults: [] });
  expect(await patch('a@example.com')).toBe(200);
});

it.each([
  ['/_sandbox/faults', { status: 9 }, 'RC_SANDBOX_INPUT'],
  ['/_sandbox/faults', { rule: 'status=abc' }, 'RC_FAULT_INVALID'],
  ['/_sandbox/opt-outs', {}, 'RC_SANDBOX_INPUT'],
  ['/_sandbox/opt-outs', { destination: 'mailtrap', address: 'x'.repeat(9_000_000) }, 'RC_SANDBOX_INPUT'],
  ['/_sandbox/opt-outs', { destination: 'nowhere', address: 'a@example.com' }, 'RC_SANDBOX_DESTINATION'],
  ['/_sandbox/webhooks/send', { url: 'http://example.com/', secret: 's', optOuts: [] }, 'RC_SANDBOX_INPUT'],
  ['/_sandbox/receivers', { destination: 'mailtrap', url: 'http://example.com/', secret: 's' }, 'RC_SANDBOX_INPUT'],
])('refuses bad input at %s with a code', async (path, body, code) => {
  const answer = await bed.control('POST', path, body);
  expect([answer.status, answer.json]).toMatchObject([400, { error: { code } }]);
});

it('resets everything but the fault rules', async () => {
  bed.sandbox.addFaults([{ status: 500, rate: 0 }]);
  await patch('a@example.com');
  bed.sandbox.state.suppress('a@example.com');
  expect((await bed.control('POST', '/_sandbox/reset')).status).toBe(204);
  expect((await bed.control('GET', '/_sandbox/state')).json).toMatchObject({
    destinations: { mailtrap: { contacts: [], lists: [], fields: [], suppressions: [], events: [] } },
  });
  expect(bed.sandbox.state.counters().calls).toBe(0);
  expect((await bed.control('GET', '/_sandbox/faults')).json).toMatchObject({ faults: [{ rule: { status: 500 } }] });
});

describe('the stream of changes', () => {
  interface Line {
    readonly type: string;
    readonly contacts?: readonly { readonly address: string }[];
    readonly changes?: readonly { readonly kind: string; readonly contact: { readonly address: string } | null }[];
    readonly calls: readonly { readonly path: string; readonly status: number }[];
    readonly events: readonly { readonly name: string; readonly address: string }[];
    readonly destinations: readonly { readonly id: string; readonly contacts: number; readonly events: number }[];
    readonly skipped?: number;
  }

  async function follow(): Promise<() => Promise<Line>> {
    const answer = await fetch(`${bed.sandbox.url}/_sandbox/events`, {
      headers: { authorization: `Bearer ${bed.sandbox.controlKey}` },
    });
    expect(answer.headers.get('content-type')).toContain('application/x-ndjson');
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    return async () => {
      while (!rest.includes('\n')) {
        const { done, value } = await reader.read();
        if (done) throw new Error('the stream ended');
        rest += value;
      }
      const end = rest.indexOf('\n');
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return JSON.parse(line) as Line;
    };
  }

  it('begins with what is there and goes on with what changes', async () => {
    await patch('early@example.com');
    const next = await follow();
    expect(await next()).toMatchObject({
      type: 'hello',
      contacts: [{ destination: 'mailtrap', address: 'early@example.com' }],
      calls: [{ status: 200 }],
      destinations: [{ id: 'mailtrap', contacts: 1, events: 0 }],
    });
    await patch('late@example.com');
    await bed.call('DELETE', '/api/contacts/early%40example.com');
    const changes: string[] = [];
    while (changes.length < 2) {
      const line = await next();
      changes.push(...(line.changes ?? []).map(({ kind, contact }) => `${kind} ${contact?.address ?? ''}`));
    }
    expect(changes).toEqual(['created late@example.com', 'deleted ']);
  });

  it('tells of events in order', async () => {
    await patch('a@example.com');
    const happen = (name: string) => bed.call('POST', '/api/contacts/a%40example.com/events', { name });
    await happen('zero');
    const next = await follow();
    expect(await next()).toMatchObject({
      events: [{ name: 'zero', address: 'a@example.com' }],
      destinations: [{ events: 1 }],
    });
    await happen('one');
    await happen('two');
    const names: string[] = [];
    let line = await next();
    for (; ; line = await next()) {
      names.push(...line.events.map(({ name }) => name));
      if (names.length === 2) break;
    }
    expect([names, line.destinations[0]?.events]).toEqual([['one', 'two'], 3]);
  });

  it('holds no more than its bounds however much happens between two lines', async () => {
    const next = await follow();
    await next();
    const contacts = Array.from({ length: 1_000 }, (_, n) => ({ email: `p${n}@example.com` }));
    await bed.call('POST', '/api/contacts/imports', { contacts });
    await bed.call('GET', '/api/contacts/imports/1');
    await bed.call('GET', '/api/contacts/imports/1');
    let line = await next();
    while ((line.changes ?? []).length === 0) line = await next();
    expect([line.changes?.length, line.skipped, line.destinations[0]?.contacts]).toEqual([200, 800, 1_000]);
  });

  it('ends when the sandbox closes', async () => {
    const next = await follow();
    await next();
    await bed.sandbox.close();
    await expect(next()).rejects.toThrow();
  });
});
