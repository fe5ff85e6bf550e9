import type { FactKind } from '../../core/consent/fact.ts';
import type { Inbound } from '../../core/inbound.ts';
import { addressIn, type EventReading, readOneOrMany } from '../../core/inbound-events.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { secondsAsTime } from '../../core/time.ts';
import type { BrevoConfig } from './config.ts';

/** Names as they stand in payloads, and as the settings of a webhook call them (developers.brevo.com/docs/marketing-webhooks). */
const KINDS: ReadonlyMap<unknown, FactKind> = new Map<unknown, FactKind>([
  ['unsubscribed', 'opt_out'],
  ['unsubscribe', 'opt_out'],
  ['spam', 'complaint'],
  ['complaint', 'complaint'],
  ['hard_bounced', 'bounce'],
  ['hard_bounce', 'bounce'],
  ['hardBounce', 'bounce'],
]);

const text = (value: Json | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function readEvent(said: JsonObject): EventReading {
  const { event, email, id, ts_event: happened, ts } = said;
  if (typeof event !== 'string') return { problem: 'has no "event"' };
  const kind = KINDS.get(event);
  if (kind === undefined) return undefined;
  const address = addressIn(email);
  if (address === undefined) return { problem: 'has no address as "email"' };
  const stamp = happened ?? ts;
  const at = secondsAsTime(stamp);
  if (stamp !== undefined && at === undefined) return { problem: 'has a "ts_event" that is no time in seconds' };
  // An event has no id of its own, and the webhook's number is that of the webhook.
  return { id: [event, text(id), text(stamp), text(said['message-id']), address].join(' '), kind, address, at, event };
}

/**
 * Brevo's webhooks: an event a request, or several in an array (`batched`). Nothing is signed, so that a token of ours is asked for
 * (`auth: {type: bearer}` of the webhook; developers.brevo.com/docs/secured-webhooks, reference/destinations.md 3.7).
 */
export const inbound: Inbound<BrevoConfig> = {
  proof: { by: 'bearer' },
  secrets: (config) => config.webhook_secrets,
  read: (body) => readOneOrMany(body, readEvent),
};
