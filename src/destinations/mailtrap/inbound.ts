import type { FactKind } from '../../core/consent/fact.ts';
import type { Inbound, InboundReading } from '../../core/inbound.ts';
import { addressIn, type EventReading, jsonOrLines, readEvents } from '../../core/inbound-events.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { isPresent } from '../../core/opt-out.ts';
import { secondsAsTime } from '../../core/time.ts';
import type { MailtrapConfig } from './config.ts';

/** Names as they stand in payloads, and as the settings of a webhook call them [MT-docs: webhooks]. A soft bounce may arrive yet. */
const KINDS: ReadonlyMap<unknown, FactKind> = new Map<unknown, FactKind>([
  ['unsubscribe', 'opt_out'],
  ['spam', 'complaint'],
  ['spam_complaint', 'complaint'],
  ['bounce', 'bounce'],
]);

function readEvent({ event, event_id: id, email, timestamp }: JsonObject): EventReading {
  if (typeof event !== 'string') return { problem: 'has no "event"' };
  const kind = KINDS.get(event);
  if (kind === undefined) return undefined;
  const address = addressIn(email);
  if (address === undefined) return { problem: 'has no address as "email"' };
  if (typeof id !== 'string' || !isPresent(id)) return { problem: 'has no "event_id"' };
  const at = secondsAsTime(timestamp);
  if (timestamp !== undefined && at === undefined) return { problem: 'has a "timestamp" that is no time in seconds' };
  return { id, kind, address, at, event };
}

function read(body: string): InboundReading {
  const values = jsonOrLines(body);
  if (values === undefined) return { ok: false, problem: 'the body is neither JSON nor JSON Lines' };
  const [first] = values;
  // A JSON body holds all of them under `events`, JSON Lines one each.
  const batch = values.length === 1 && isJsonObject(first) && !('event' in first) ? first['events'] : values;
  if (!Array.isArray(batch)) return { ok: false, problem: 'the body has no "events"' };
  return readEvents(batch, readEvent, (n) => `events[${n}]`);
}

/**
 * Mailtrap's webhooks: at most 500 events a request, JSON or JSON Lines, signed without a time. Anything but 200 counts as not
 * received (documentation, "Webhooks"; reference/destinations.md 1.12).
 */
export const inbound: Inbound<MailtrapConfig> = {
  proof: { by: 'hmac', headers: ['mailtrap-signature'], timed: false },
  secrets: (config) => config.webhook_secrets,
  read,
};
