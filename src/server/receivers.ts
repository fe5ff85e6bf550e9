import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from '../engine/ports.ts';
import type { Observer } from '../engine/observer.ts';
import { codeOf } from '../engine/trouble.ts';
import type { FactStore, Receiver } from '../inbound/ports.ts';
import { receive, type Refusal } from '../inbound/receive.ts';

/** Most bytes of a body: Mailtrap's 500 events take a quarter of it. */
const MOST_BYTES = 2 * 2 ** 20;
/** A refusal of one kind is logged once in so many ms: whoever sends nonsense must not fill the log. */
const REMIND_MS = 60_000;

export interface ReceiverParts {
  readonly store: FactStore;
  readonly observe: Observer;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Answers `POST /webhooks/<destination>`: what proves to be the destination's own is stored, and only then acknowledged. Everything
 * else is refused and counted, and nothing of it is kept. A destination without secrets has no receiver.
 */
export function mountReceivers(app: Hono, receivers: readonly Receiver[], parts: ReceiverParts): void {
  const refuse = refusing(parts);
  app.post(
    '/webhooks/:destination',
    bodyLimit({
      maxSize: MOST_BYTES,
      onError: (context) => refuse(context, receiverOf(receivers, context), 'oversized', 413, 'the body is too large'),
    }),
    async (context) => {
      const receiver = receiverOf(receivers, context);
      if (receiver === undefined) return context.json({ error: 'not found' }, 404);
      const { store, observe, now } = parts;
      const body = new Uint8Array(await context.req.arrayBuffer());
      const of = { inbound: receiver.inbound, secrets: receiver.secrets() };
      const received = await receive({ headers: context.req.raw.headers, body }, of, now());
      if (!received.ok) return refuse(context, receiver, received.refusal, received.status, received.problem);
      try {
        if (received.facts.length > 0) await store.receive(receiver.name, received.facts);
      } catch (error) {
        // Sent again by the vendor, or read from there later.
        return refuse(context, receiver, 'not_stored', 503, 'not stored; send it again later', codeOf(error));
      }
      observe({ what: 'webhook', destination: receiver.name, result: 'stored', facts: received.facts.length });
      return context.json({ ok: true }, received.status);
    },
  );
}

function receiverOf(receivers: readonly Receiver[], context: Context): Receiver | undefined {
  const name = context.req.param('destination');
  return receivers.find((receiver) => receiver.name === name && receiver.secrets().length > 0);
}

function refusing({ observe, log }: ReceiverParts) {
  const saidAt = new Map<string, number>();
  return (
    context: Context,
    receiver: Receiver | undefined,
    result: Refusal | 'oversized' | 'not_stored',
    status: 400 | 401 | 413 | 503,
    problem: string,
    code?: string,
  ): Response => {
    if (receiver === undefined) return context.json({ error: 'not found' }, 404);
    const { name: destination } = receiver;
    observe({ what: 'webhook', destination, result, facts: 0 });
    const key = `${destination} ${result}`;
    const at = performance.now();
    if (at - (saidAt.get(key) ?? -Infinity) >= REMIND_MS) {
      saidAt.set(key, at);
      log.warn({ destination, result, code }, `a webhook was refused: ${problem}`);
    }
    return context.json({ error: problem }, status);
  };
}
