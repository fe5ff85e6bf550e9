import type { OptOutEvent, OptOutReason, OutgoingWebhook } from '../../../sandbox/stand-in.ts';

/** Names as they stand in payloads, which differ from those in the vendor's settings (developers.brevo.com/docs/marketing-webhooks). */
const NAMES: Readonly<Record<OptOutReason, string>> = {
  unsubscribe: 'unsubscribed',
  complaint: 'spam',
  bounce: 'hard_bounced',
};

/** A number for a text: an event of the vendor has no id of its own, and its webhook has a number. */
function numberOf(id: string): number {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 1_000_000_007;
  return /^\d{1,15}$/.test(id) ? Number(id) : sum;
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * What the vendor tells a receiver: one request for each event. Nothing is signed; the receiver knows it by a bearer token
 * (developers.brevo.com/docs/secured-webhooks).
 */
export function webhookRequests(optOuts: readonly OptOutEvent[], secret: string, nowMs: number): OutgoingWebhook[] {
  return optOuts.map(({ address, reason, id, at = nowMs }, n) => {
    const seconds = Math.floor(at / 1_000);
    const body = {
      id: numberOf(id ?? String(nowMs + n)),
      camp_id: 1,
      email: address,
      'campaign name': 'sandbox',
      date_sent: stamp(at),
      date_event: stamp(at),
      event: NAMES[reason],
      tag: '',
      ts_sent: seconds,
      ts_event: seconds,
      ts: seconds,
    };
    return {
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify(body),
    };
  });
}
