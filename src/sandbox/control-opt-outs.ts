import type { Hono } from 'hono';
import * as z from 'zod';
import { RollcallError } from '../core/errors.ts';
import { readInput } from './control-input.ts';
import { isLoopbackUrl, sendWebhooks, type WebhookResult } from './send-webhooks.ts';
import type { SandboxDestination } from './served.ts';
import type { OptOutEvent } from './stand-in.ts';

const reason = z.enum(['unsubscribe', 'complaint', 'bounce']);
const loopback = z.string().refine(isLoopbackUrl, 'must be an http URL of this machine');

const person = z.strictObject({
  destination: z.string(),
  address: z.string().min(1),
  reason: reason.default('unsubscribe'),
});

const send = z.strictObject({
  destination: z.string(),
  url: loopback,
  /** The signing secret, as the vendor gives it. */
  secret: z.string().min(1),
  optOuts: z
    .array(
      z.strictObject({
        address: z.string().min(1),
        reason,
        /** Made up when absent; give one that was sent before to replay it. */
        id: z.string().min(1).optional(),
        /** Milliseconds since the epoch; now when absent. */
        at: z.int().optional(),
      }),
    )
    .min(1)
    .max(50_000),
  /** Also record the opt-outs, as the vendor has done before it tells of them. */
  record: z.boolean().optional(),
});

const receiver = z.strictObject({ destination: z.string(), url: loopback, secret: z.string().min(1) });

interface Receiver {
  readonly url: string;
  readonly secret: string;
}

/** What people do in the vendors' own pages, and what the vendors tell of it. */
export function mountOptOuts(app: Hono, find: (id: string) => SandboxDestination, now: () => number): void {
  const receivers = new Map<string, Receiver>();

  async function tell(to: SandboxDestination, { url, secret }: Receiver, optOuts: readonly OptOutEvent[]) {
    const requests = to.standIn.webhooks?.(optOuts, secret, now());
    if (requests === undefined) {
      throw new RollcallError('RC_SANDBOX_WEBHOOK_NONE', `${to.id} sends no webhooks of opt-outs.`, {
        hint: 'Read them back instead: rollcall audit.',
      });
    }
    return await sendWebhooks(url, requests);
  }

  app.post('/_sandbox/opt-outs', async (context) => {
    const input = await readInput(context, person);
    const to = find(input.destination);
    to.standIn.optOut(input.address, input.reason);
    const receiver = receivers.get(to.id);
    const told: readonly WebhookResult[] = receiver === undefined ? [] : await tell(to, receiver, [input]);
    return context.json({ told }, 201);
  });

  app.post('/_sandbox/opt-ins', async (context) => {
    const { destination, address } = await readInput(context, person);
    find(destination).standIn.optIn(address);
    return context.body(null, 204);
  });

  app.post('/_sandbox/webhooks/send', async (context) => {
    const input = await readInput(context, send);
    const to = find(input.destination);
    if (input.record === true) for (const { address, reason } of input.optOuts) to.standIn.optOut(address, reason);
    return context.json({ batches: await tell(to, input, input.optOuts) });
  });

  // The secret is written and never read back.
  const listed = () => Array.from(receivers, ([destination, { url }]) => ({ destination, url }));
  app.get('/_sandbox/receivers', (context) => context.json({ receivers: listed() }));
  app.post('/_sandbox/receivers', async (context) => {
    const { destination, url, secret } = await readInput(context, receiver);
    receivers.set(find(destination).id, { url, secret });
    return context.json({ receivers: listed() }, 201);
  });
  app.delete('/_sandbox/receivers/:id', (context) => {
    receivers.delete(context.req.param('id'));
    return context.json({ receivers: listed() });
  });
}
