import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hono } from 'hono';

/** A URL of ours that a destination calls when a request for many has ended, and what to do then. */
export interface Notification {
  readonly url: string;
  readonly ring: () => void;
}

/**
 * Answers `POST` to these paths. The vendors that call them sign nothing: the path is the secret, and is compared in constant
 * time. What they say is not read: a call has us ask sooner, so a lost or a forged one does no harm.
 */
export function mountNotifications(app: Hono, notifications: readonly Notification[]): void {
  const known = notifications.map(({ url, ring }) => ({ digest: digestOf(new URL(url).pathname), ring }));
  if (known.length === 0) return;
  app.post('*', (context) => {
    const asked = digestOf(new URL(context.req.url).pathname);
    const found = known.filter(({ digest }) => timingSafeEqual(digest, asked));
    for (const { ring } of found) ring();
    return found.length === 0 ? context.json({ error: 'not found' }, 404) : context.body(null, 204);
  });
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
