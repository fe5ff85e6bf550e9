import { deepEqual } from 'node:assert/strict';
import type { OutgoingWebhook } from '../../sandbox/stand-in.ts';
import { receive, type Received } from '../../inbound/receive.ts';
import type { Bench } from '../bench.ts';
import type { Case } from '../case.ts';
import { must } from '../must.ts';
import { BODIES } from '../spoil.ts';

const SECRET = 'the-secret-of-the-webhooks';
const OLD = 'the-one-before-it-changed';
const NOW = 1_780_000_000_000;
const OPT_OUTS = [
  { address: 'left+x@example.com', reason: 'unsubscribe', id: '11', at: NOW - 3_000 },
  { address: 'angry@example.com', reason: 'complaint', id: '12', at: NOW - 2_000 },
  { address: 'gone@example.com', reason: 'bounce', id: '13', at: NOW - 1_000 },
] as const;

const WRITE = '`inbound` says how a webhook is proved, and reads facts from its body: all of them, or none';
const needs: NonNullable<Case['needs']> = ({ inbound, capabilities }) =>
  inbound !== undefined || capabilities.consent.webhook !== 'none';

/** Webhooks of opt-outs, as the vendor sends them. */
export const webhooks: readonly Case[] = [
  {
    name: 'webhooks: what the vendor tells is taken, by either secret, with its time, and the same each time it is told',
    write: WRITE,
    needs,
    async run(bench) {
      const wanted = [
        { kind: 'opt_out', address: 'left+x@example.com', at: (NOW - 3_000) * 1_000 },
        { kind: 'complaint', address: 'angry@example.com', at: (NOW - 2_000) * 1_000 },
        { kind: 'bounce', address: 'gone@example.com', at: (NOW - 1_000) * 1_000 },
      ];
      for (const secret of [SECRET, OLD]) {
        const requests = sent(bench, secret);
        const first = await Promise.all(requests.map((request) => taken(bench, request)));
        const again = await Promise.all(requests.map((request) => taken(bench, request)));
        deepEqual(
          first.flatMap(factsOf).map(({ kind, address, at }) => ({ kind, address, at })),
          wanted,
        );
        deepEqual(again, first);
        must(
          new Set(first.flatMap(factsOf).map(({ id }) => id)).size === wanted.length,
          'each thing told has its own id',
        );
        for (const [n, { status }] of first.entries()) {
          const accepted = requests[n]!.acknowledgedBy ?? [200, 202, 204];
          must(accepted.includes(status), 'the vendor takes the answer as received', status);
        }
      }
    },
  },
  {
    name: 'webhooks: nothing is taken without a proof, whatever it says',
    write: WRITE,
    needs,
    async run(bench) {
      for (const request of sent(bench, 'a-secret-of-somebody-else')) {
        const refused = await taken(bench, request);
        must(!refused.ok && refused.status === 401, 'another secret is refused', refused);
      }
      for (const body of [...BODIES, sent(bench, SECRET)[0]!.body]) {
        const refused = await taken(bench, { headers: {}, body });
        must(!refused.ok && refused.status === 401, 'a body without a proof is refused', refused);
      }
    },
  },
  {
    name: 'webhooks: a body that cannot be read counts for nothing, and is told without anybody’s data',
    write: WRITE,
    needs,
    async run(bench) {
      const inbound = inboundOf(bench);
      const [{ body: good }] = sent(bench, SECRET) as [OutgoingWebhook];
      const cut = Array.from({ length: 40 }, (_, n) => good.slice(0, Math.floor((good.length * n) / 40)));
      for (const body of [...BODIES, ...cut, good.replaceAll('@', ' at ')]) {
        const read = inbound.read(body);
        must(!read.ok || read.facts.length === 0, 'what is cut or no address is no fact', read);
        must(read.ok || !/@|left\+x/.test(read.problem), 'the problem names nobody', read);
      }
    },
  },
];

function inboundOf({ destination }: Bench): NonNullable<Bench['destination']['inbound']> {
  must(
    destination.inbound !== undefined,
    '`capabilities.consent.webhook` says that it sends webhooks, so there is `inbound`',
  );
  return destination.inbound;
}

function sent({ vendor }: Bench, secret: string): readonly OutgoingWebhook[] {
  const requests = vendor.webhooks?.(OPT_OUTS, secret, NOW);
  must(requests !== undefined && requests.length > 0, 'the stand-in sends webhooks');
  return requests;
}

async function taken(bench: Bench, { headers, body }: OutgoingWebhook): Promise<Received> {
  const bytes = new Uint8Array(new TextEncoder().encode(body));
  const of = { inbound: inboundOf(bench), secrets: [OLD, SECRET] };
  return await receive({ headers: new Headers(headers), body: bytes }, of, NOW);
}

function factsOf(received: Received): (Received & { ok: true })['facts'] {
  return received.ok ? received.facts : [];
}
