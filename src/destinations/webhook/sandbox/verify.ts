import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiRequest } from '../../../sandbox/api-request.ts';

/**
 * Whether a request is signed with a secret, and not too old or too early (Standard Webhooks 1.0.0): any one of its `v1`
 * signatures is enough.
 */
export function isSigned(request: ApiRequest, secret: string, nowMs: number, toleranceMs: number): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = request.headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs - Number(timestamp) * 1_000) > toleranceMs) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${request.body}`).digest();
  return signatures.split(' ').some((signature) => {
    if (!signature.startsWith('v1,')) return false;
    const given = Buffer.from(signature.slice(3), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
