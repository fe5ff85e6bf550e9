import { createHmac, randomUUID } from 'node:crypto';
import type { OptOutEvent, OptOutReason, OutgoingWebhook } from '../../../sandbox/stand-in.ts';
import type { MailtrapSettings } from './settings.ts';

/** Names as they stand in payloads, which differ from those in the vendor's webhook settings [MT-docs: webhooks]. */
const EVENT_NAMES: Readonly<Record<OptOutReason, string>> = {
  unsubscribe: 'unsubscribe',
  complaint: 'spam',
  bounce: 'bounce',
};

/** Most events in one request [MT-docs: webhooks]. */
const MAX_BATCH = 500;

/**
 * What the vendor tells a receiver: signed requests of at most 500 events. The signature is the lower-case hex HMAC-SHA256 of the
 * raw body; its key is the secret as text [MT-docs: webhooks].
 * @param nowMs milliseconds since the epoch
 */
export function webhookRequests(
  optOuts: readonly OptOutEvent[],
  secret: string,
  nowMs: number,
  format: MailtrapSettings['webhookFormat'],
): OutgoingWebhook[] {
  const events = optOuts.map(({ address, reason, id, at }) => ({
    event: EVENT_NAMES[reason],
    timestamp: Math.floor((at ?? nowMs) / 1000),
    sending_stream: 'bulk',
    message_id: randomUUID(),
    email: address,
    event_id: id ?? randomUUID(),
    sending_domain_name: 'sandbox.invalid',
    category: 'sandbox',
    custom_variables: {},
  }));
  const requests: OutgoingWebhook[] = [];
  for (let start = 0; start < events.length; start += MAX_BATCH) {
    const batch = events.slice(start, start + MAX_BATCH);
    const lines = format === 'jsonlines';
    const body = lines
      ? batch.map((event) => `${JSON.stringify(event)}\n`).join('')
      : JSON.stringify({ events: batch });
    requests.push({
      headers: {
        'content-type': lines ? 'application/jsonl' : 'application/json',
        'Mailtrap-Signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
      body,
      // Any other answer counts as not received [MT-docs: webhooks].
      acknowledgedBy: [200],
      eventIds: batch.map(({ event_id }) => event_id),
    });
  }
  return requests;
}
