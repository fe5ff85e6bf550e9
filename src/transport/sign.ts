import { createHmac } from 'node:crypto';
import type { HttpRequest } from '../core/destination.ts';

/**
 * The headers of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec): `v1,` and the base64
 * HMAC-SHA256 of `id.timestamp.body`, one for each secret, with a space between.
 * @param secrets `whsec_` and base64, or base64 alone
 * @param nowMs milliseconds since the epoch
 */
export function signatureHeaders(
  request: HttpRequest,
  secrets: readonly string[],
  nowMs: number = Date.now(),
): Record<string, string> {
  const id = request.headers['webhook-id'] ?? '';
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signed = `${id}.${timestamp}.${request.body ?? ''}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
  });
  return { 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
