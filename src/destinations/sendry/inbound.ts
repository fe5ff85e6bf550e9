import type { FactKind } from '../../core/consent/fact.ts';
import type { Inbound } from '../../core/inbound.ts';
import { addressIn, type EventReading, readOneOrMany } from '../../core/inbound-events.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { parseIsoTime } from '../../core/time.ts';
import type { SendryConfig } from './config.ts';

/** What an event tells. Sendry's pages know no event of an unsubscribe, the recipe does, and so does an updated contact. */
function kindOf(type: string, data: JsonObject): FactKind | undefined {
  if (type === 'contact.unsubscribed') return 'opt_out';
  if (type === 'contact.updated' || type === 'contact.created')
    return data['unsubscribed'] === true ? 'opt_out' : undefined;
  if (type === 'email.complained') return 'complaint';
  return type === 'email.bounced' && data['bounce_type'] !== 'soft' ? 'bounce' : undefined;
}

function readEvent({ type, created_at: created, data }: JsonObject): EventReading {
  if (typeof type !== 'string') return { problem: 'has no "type"' };
  if (data === undefined || !isJsonObject(data)) return { problem: 'has no "data"' };
  const kind = kindOf(type, data);
  if (kind === undefined) return undefined;
  const address = addressIn(data['email']) ?? addressIn(data['to']);
  if (address === undefined) return { problem: 'has no address as "data.email" or "data.to"' };
  const at = typeof created === 'string' ? parseIsoTime(created) : undefined;
  if (created !== undefined && created !== null && at === undefined)
    return { problem: 'has a "created_at" that is no time' };
  // A delivery has no id: what is told again is equal.
  const own = data['email_id'] ?? data['id'];
  const id = [type, typeof created === 'string' ? created : '', typeof own === 'string' ? own : '', address].join(' ');
  return { id, kind, address, at, event: type };
}

/**
 * Sendry's webhooks: an event a request, signed with a time or without; its SDKs differ (reference/destinations.md 2). Any 2xx counts
 * as received.
 */
export const inbound: Inbound<SendryConfig> = {
  proof: { by: 'hmac', headers: ['x-sendry-signature', 'sendry-signature'], timed: true },
  secrets: (config) => config.webhook_secrets,
  read: (body) => readOneOrMany(body, readEvent),
};
