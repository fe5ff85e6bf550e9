import { createHmac, randomUUID } from 'node:crypto';
import * as z from 'zod';
import { RollcallError } from '../../core/errors.ts';
import { isLoopbackHost } from '../../core/loopback.ts';

/** Names as they stand in payloads, which differ from those in the vendor's webhook settings [MT-docs: webhooks]. */
const EVENT_NAMES = [
  'unsubscribe',
  'spam',
  'bounce',
  'soft bounce',
  'suspension',
  'reject',
  'delivery',
  'open',
  'click',
] as const;

/** Most events in one request [MT-docs: webhooks]. */
const MAX_BATCH = 500;
/** The vendor gives a receiver this long to answer [MT-docs: webhooks]. */
const ANSWER_MS = 30_000;

const webhookEvent = z.strictObject({
  event: z.enum(EVENT_NAMES),
  email: z.string().min(1),
  /** Made up when absent; give one that was sent before to replay it. */
  event_id: z.string().min(1).optional(),
  /** Seconds since the epoch; now when absent. */
  timestamp: z.int().optional(),
});

/** What to send where: checked data of `POST /_sandbox/webhooks/send`. */
export const webhookSend: z.ZodType<WebhookSend> = z.strictObject({
  url: z.string().refine(isLoopbackUrl, 'must be an http URL of this machine'),
  /** The signing secret, used as text. */
  secret: z.string().min(1),
  format: z.enum(['json', 'jsonlines']).optional(),
  events: z.array(webhookEvent).min(1).max(50_000),
  /** Also record the opt-outs these events tell of, as the vendor has done before it sends them. */
  suppress: z.boolean().optional(),
});

export interface WebhookSend {
  readonly url: string;
  readonly secret: string;
  readonly format?: 'json' | 'jsonlines' | undefined;
  readonly events: readonly WebhookEvent[];
  readonly suppress?: boolean | undefined;
}

export interface WebhookEvent {
  readonly event: (typeof EVENT_NAMES)[number];
  readonly email: string;
  readonly event_id?: string | undefined;
  readonly timestamp?: number | undefined;
}

interface WebhookBatch {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly eventIds: readonly string[];
}

export interface WebhookResult {
  readonly batches: readonly {
    /** 0 when there was no answer. */
    readonly status: number;
    /** The vendor counts exactly 200 as received. */
    readonly acknowledged: boolean;
    readonly event_ids: readonly string[];
  }[];
}

/** The lower-case hex HMAC-SHA256 of a raw body; the key is the secret as text [MT-docs: webhooks]. */
function signWebhook(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

/** Splits events into signed requests of at most 500. @param nowMs milliseconds since the epoch */
function webhookBatches(send: WebhookSend, nowMs: number): WebhookBatch[] {
  const full = send.events.map((event) => ({
    event: event.event,
    timestamp: event.timestamp ?? Math.floor(nowMs / 1000),
    sending_stream: 'bulk',
    message_id: randomUUID(),
    email: event.email,
    event_id: event.event_id ?? randomUUID(),
    sending_domain_name: 'sandbox.invalid',
    category: 'sandbox',
    custom_variables: {},
  }));
  const batches: WebhookBatch[] = [];
  for (let start = 0; start < full.length; start += MAX_BATCH) {
    const events = full.slice(start, start + MAX_BATCH);
    const lines = send.format === 'jsonlines';
    const body = lines ? events.map((event) => `${JSON.stringify(event)}\n`).join('') : JSON.stringify({ events });
    batches.push({
      body,
      headers: {
        'content-type': lines ? 'application/jsonl' : 'application/json',
        'Mailtrap-Signature': signWebhook(body, send.secret),
      },
      eventIds: events.map((event) => event.event_id),
    });
  }
  return batches;
}

/**
 * Sends the batches one after another. No redirect is followed.
 * @throws RollcallError `RC_SANDBOX_WEBHOOK_URL` when the URL is not on this machine
 */
export async function sendWebhooks(send: WebhookSend, nowMs: number): Promise<WebhookResult> {
  if (!isLoopbackUrl(send.url)) {
    throw new RollcallError('RC_SANDBOX_WEBHOOK_URL', 'The sandbox sends webhooks to this machine only.', {
      hint: 'Use an http URL with 127.0.0.1 or localhost.',
    });
  }
  const results: WebhookResult['batches'][number][] = [];
  for (const batch of webhookBatches(send, nowMs)) {
    const status = await post(send.url, batch);
    results.push({ status, acknowledged: status === 200, event_ids: batch.eventIds });
  }
  return { batches: results };
}

async function post(url: string, batch: WebhookBatch): Promise<number> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: batch.headers,
      body: batch.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.body?.cancel();
    return answer.status;
  } catch {
    return 0;
  }
}

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'http:' && isLoopbackHost(url.hostname);
}
