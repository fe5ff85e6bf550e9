import { createHmac } from 'node:crypto';
import type { JsonObject } from '../../../core/json.ts';
import { renderJson } from '../../../core/json.ts';
import type { OptOutEvent, OutgoingWebhook } from '../../../sandbox/stand-in.ts';
import type { Account } from './account.ts';
import { newId } from './store.ts';
import { contactView } from './views.ts';

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** The signature of a body, in each of the forms that a client of the vendor checks (sendry-js, sendry-go `webhook_util.go`). */
function signed(account: Account, secret: string, body: string, nowMs: number): string {
  switch (account.settings.signature) {
    case 'plain':
      return hmac(secret, body);
    case 'prefixed':
      return `sha256=${hmac(secret, body)}`;
    case 'timestamped': {
      const seconds = Math.floor(nowMs / 1_000);
      return `t=${seconds},v1=${hmac(secret, `${seconds}.${body}`)}`;
    }
    default:
      return account.settings.signature satisfies never;
  }
}

function payload(account: Account, { address, reason, id }: OptOutEvent, timestamp: string): JsonObject {
  const { store, settings } = account;
  if (reason !== 'unsubscribe') {
    const type = reason === 'complaint' ? 'email.complained' : 'email.bounced';
    const more = reason === 'complaint' ? {} : { bounce_type: 'hard' };
    return { type, created_at: timestamp, data: { email_id: id ?? newId('em'), to: address, timestamp, ...more } };
  }
  const contact = store.byAddress(address);
  const known = contact === undefined ? { id: newId('ct'), email: address } : contactView(contact, store, 'sdk');
  return { type: settings.unsubscribeEvent, created_at: timestamp, data: { ...known, unsubscribed: true } };
}

/**
 * What the vendor tells a receiver: a request for each event, `{type, created_at, data}` (documentation, "Webhooks"). There is no id
 * of a delivery, so a repeated one is equal to the first but for its signature.
 */
export function webhookRequests(
  account: Account,
  optOuts: readonly OptOutEvent[],
  secret: string,
  nowMs: number,
): OutgoingWebhook[] {
  return optOuts.map((event) => {
    const body = renderJson(payload(account, event, new Date(event.at ?? nowMs).toISOString()));
    const headers = { 'content-type': 'application/json', 'X-Sendry-Signature': signed(account, secret, body, nowMs) };
    return { headers, body };
  });
}
