import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hono } from 'hono';
import type { Metrics } from './metrics.ts';

/**
 * Answers `GET /metrics` to whoever has the token (`Authorization: Bearer <token>`), compared in constant time. There is no way
 * without one: where none is configured nothing is mounted.
 */
export function mountMetrics(app: Hono, metrics: Pick<Metrics, 'text' | 'contentType'>, token: string): void {
  const wanted = digestOf(`bearer ${token}`);
  app.get('/metrics', async (context) => {
    const [scheme = '', ...rest] = (context.req.header('authorization') ?? '').split(' ');
    if (!timingSafeEqual(digestOf(`${scheme.toLowerCase()} ${rest.join(' ')}`), wanted)) {
      context.header('www-authenticate', 'Bearer');
      return context.json({ error: 'unauthorized' }, 401);
    }
    return context.body(await metrics.text(), 200, { 'content-type': metrics.contentType });
  });
}

/** Of equal length, whatever was sent. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
