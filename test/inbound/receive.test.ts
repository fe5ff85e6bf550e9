import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../src/core/destination.ts';
import type { Inbound, InboundFact } from '../../src/core/inbound.ts';
import { registry } from '../../src/destinations/registry.ts';
import { receive, type Received } from '../../src/inbound/receive.ts';
import { startSandbox } from '../../src/sandbox/start.ts';
import type { OptOutEvent, OutgoingWebhook } from '../../src/sandbox/stand-in.ts';

/** So many bodies and headers for each receiver; the judged run has 100,000. */
const RUNS = Number(process.env['ROLLCALL_FUZZ_RUNS'] ?? 600);
const SECRET = 'a-secret-of-the-webhook';
const OLD = 'the-secret-before-that-one';
const NOW = Date.parse('2026-11-21T12:00:00Z');

type Receiving = Destination<never> & { readonly inbound: Inbound<never> };
const receivers = registry.filter((each): each is Receiving => each.inbound !== undefined);

test('whoever says that it sends webhooks can be received, and nobody else', () => {
  expect(receivers.map(({ id }) => id).toSorted()).toEqual(
    registry
      .filter(({ capabilities }) => capabilities.consent.webhook !== 'none')
      .map(({ id }) => id)
      .toSorted(),
  );
});

/** What the vendor would send, as the sandbox makes it. */
async function sent(
  id: string,
  optOuts: readonly OptOutEvent[],
  settings: Record<string, unknown> = {},
  by = SECRET,
): Promise<readonly OutgoingWebhook[]> {
  const sandbox = await startSandbox({ only: [id], settings: { [id]: settings } });
  try {
    return sandbox.of(id).standIn.webhooks?.(optOuts, by, NOW) ?? [];
  } finally {
    await sandbox.close();
  }
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));
const factsOf = (received: Received): readonly InboundFact[] => (received.ok ? received.facts : []);

async function taken({ inbound }: Receiving, { headers, body }: OutgoingWebhook, at = NOW): Promise<Received> {
  return await receive({ headers: new Headers(headers), body: bytes(body) }, { inbound, secrets: [OLD, SECRET] }, at);
}

describe.each(receivers.map((each) => [each.id, each] as const))('%s', (id, receiver) => {
  const optOuts: OptOutEvent[] = [
    { address: 'Ann+a@example.com', reason: 'unsubscribe', id: '11', at: NOW - 5_000 },
    { address: "o'brien@exämple.com", reason: 'complaint', id: '12', at: NOW - 4_000 },
    { address: 'bob@example.com', reason: 'bounce', id: '13', at: NOW - 3_000 },
  ];
  const told = [
    { kind: 'opt_out', address: 'Ann+a@example.com', at: (NOW - 5_000) * 1_000 },
    { kind: 'complaint', address: "o'brien@exämple.com", at: (NOW - 4_000) * 1_000 },
    { kind: 'bounce', address: 'bob@example.com', at: (NOW - 3_000) * 1_000 },
  ];

  test('what the vendor tells is taken, by either secret, and each thing once', async () => {
    const requests = await sent(id, optOuts);
    const all = await Promise.all(requests.map((request) => taken(receiver, request)));
    expect(all.flatMap(factsOf)).toMatchObject(told);
    expect(all.every((each) => requests[0]?.acknowledgedBy?.includes(each.status) ?? each.status < 300)).toBe(true);
    const others = await Promise.all((await sent(id, optOuts, {}, OLD)).map((request) => taken(receiver, request)));
    expect(others.flatMap(factsOf)).toMatchObject(told);
    const again = await Promise.all(requests.map((request) => taken(receiver, request)));
    const ids = (of: readonly Received[]): readonly string[] =>
      of.flatMap((each) => factsOf(each).map((fact) => fact.id));
    expect(ids(again)).toEqual(ids(all));
    expect(new Set(ids(all)).size).toBe(3);
  });

  test('what nobody has proved is refused, whatever it says', async () => {
    const [request] = await sent(id, optOuts.slice(0, 1));
    const { headers, body } = request!;
    const [name] = Object.keys(headers).filter((each) => each.toLowerCase() !== 'content-type') as [string];
    const proof = headers[name]!;
    const others = [
      {},
      { [name]: '' },
      { [name]: 'nonsense' },
      { [name]: proof.slice(0, -1) },
      { [name]: `${proof}0` },
      { [name]: proof.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      { [name]: '0'.repeat(64) },
    ];
    for (const wrong of others)
      expect(await taken(receiver, { headers: wrong, body })).toMatchObject({ ok: false, status: 401 });
    const [forged] = await sent(id, optOuts.slice(0, 1), {}, 'the-secret-of-somebody-else');
    expect(await taken(receiver, forged!)).toMatchObject({ ok: false, refusal: 'forged' });
    if (receiver.inbound.proof.by === 'hmac') {
      const other = body.replace('Ann', 'Eve');
      expect(await taken(receiver, { headers, body: other })).toMatchObject({ ok: false, refusal: 'forged' });
    }
  });

  test('a proved body that is wrong somewhere counts for nothing', async () => {
    const [request] = await sent(id, optOuts.slice(0, 1));
    for (const body of [
      '',
      '{',
      'null',
      '5',
      '"x"',
      '{}',
      '[1]',
      '[[]]',
      '{"event":1}',
      '{"events":{}}',
      '{"events":[null]}',
      '\u0000',
    ]) {
      const read = receiver.inbound.read(body);
      if (read.ok) expect(read.facts).toEqual([]);
      else expect(read.problem).not.toContain('@');
    }
    const broken = request!.body.replace('Ann+a@example.com', 'no address');
    expect(receiver.inbound.read(broken)).toMatchObject({ ok: false });
    const half = `[${request!.body},${broken}]`;
    const batch = id === 'mailtrap' ? `{"events":[${events(request!.body)},${events(broken)}]}` : half;
    expect(receiver.inbound.read(batch)).toMatchObject({ ok: false });
  });

  test(`no crash, and nothing is taken without a proof: ${RUNS} bodies and headers`, async () => {
    const [request] = await sent(id, optOuts.slice(0, 1));
    const names = receiver.inbound.proof.by === 'hmac' ? receiver.inbound.proof.headers : ['authorization'];
    const hex = fc.stringMatching(/^[0-9a-fA-F]{64}$/);
    const header = fc.oneof(
      fc.string(),
      hex,
      hex.map((each) => `sha256=${each}`),
      fc.tuple(fc.nat({ max: 2_000_000_000 }), hex).map(([t, v]) => `t=${t},v1=${v}`),
      fc.constant(`t=${NOW / 1_000},v1=${'0'.repeat(64)}`),
      fc.string().map((each) => `Bearer ${each}`),
      fc.constant('Bearer '),
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => new Uint8Array(each)),
      fc.string({ maxLength: 200 }).map(bytes),
      fc.json().map(bytes),
      fc
        .tuple(fc.nat(request!.body.length), fc.string({ maxLength: 4 }))
        .map(([at, more]) => bytes(request!.body.slice(0, at) + more + request!.body.slice(at + more.length))),
      fc.constant(bytes(request!.body)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.option(header), body, async (name, value, said) => {
        const headers = new Headers();
        try {
          if (value !== null) headers.set(name, value);
        } catch {
          return; // No header can hold it.
        }
        const got = await receive(
          { headers, body: new Uint8Array(said) },
          { inbound: receiver.inbound, secrets: [OLD, SECRET] },
          NOW,
        );
        expect(got).toMatchObject({ ok: false, status: 401 });
        // And proved: read without a throw, to facts or a reason without anybody's data.
        const read = receiver.inbound.read(new TextDecoder().decode(said));
        if (!read.ok) expect(read.problem).not.toContain('@');
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});

/** The events of a body of Mailtrap's, without what is around them. */
function events(body: string): string {
  return body.slice(body.indexOf('[') + 1, body.lastIndexOf(']'));
}

test('an id that no database can hold is refused', () => {
  const mailtrap = receivers.find(({ id }) => id === 'mailtrap')!;
  for (const id of ['a\u0000b', 'a\ud800']) {
    const body = JSON.stringify({ events: [{ event: 'unsubscribe', email: 'a@x.y', event_id: id }] });
    expect(mailtrap.inbound.read(body)).toEqual({ ok: false, problem: 'events[0] has an id that is no text' });
  }
});

test('a signature with a time is of now, within five minutes', async () => {
  const sendry = receivers.find(({ id }) => id === 'sendry')!;
  const optOut: OptOutEvent = { address: 'ann@example.com', reason: 'unsubscribe', id: '1', at: NOW };
  for (const signature of ['plain', 'prefixed', 'timestamped']) {
    for (const unsubscribeEvent of ['contact.unsubscribed', 'contact.updated']) {
      const [request] = await sent('sendry', [optOut], { signature, unsubscribeEvent });
      expect(await taken(sendry, request!)).toMatchObject({ ok: true, facts: [{ kind: 'opt_out', at: NOW * 1_000 }] });
      const late = signature === 'timestamped' ? { ok: false, refusal: 'stale' } : { ok: true };
      expect(await taken(sendry, request!, NOW + 301_000)).toMatchObject(late);
      expect(await taken(sendry, request!, NOW - 301_000)).toMatchObject(late);
    }
  }
});

test('JSON Lines, five hundred in one body, and what says nothing of consent', async () => {
  const mailtrap = receivers.find(({ id }) => id === 'mailtrap')!;
  const many = Array.from({ length: 501 }, (_, n): OptOutEvent => ({
    address: `p${n}@example.com`,
    reason: 'unsubscribe',
  }));
  for (const webhookFormat of ['json', 'jsonlines']) {
    const requests = await sent('mailtrap', many, { webhookFormat });
    const all = await Promise.all(requests.map((request) => taken(mailtrap, request)));
    expect(all.map((each) => (each.ok ? each.facts.length : each.problem))).toEqual([500, 1]);
  }
  const body = JSON.stringify({
    events: [
      { event: 'open', event_id: '1' },
      { event: 'soft bounce', email: 'a@x.y' },
    ],
  });
  const signature = createHmac('sha256', SECRET).update(body).digest('hex');
  expect(await taken(mailtrap, { headers: { 'mailtrap-signature': signature.toUpperCase() }, body })).toMatchObject({
    ok: true,
    facts: [],
  });
});
