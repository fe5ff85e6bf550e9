import { createHash, timingSafeEqual } from 'node:crypto';
import type { Hono } from 'hono';

/** A URL of ours that a destination calls when a request for many has ended, and what to do then. */
export interface Notification {
  /** Undefined while it is not known, or there is none. */
  readonly url: () => string | undefined;
  readonly ring: () => void;
}

/**
 * Answers `POST` to these paths. The vendors that call them sign nothing: the path is the secret, and is compared in constant
 * time. What they say is not read: a call has us ask sooner, so a lost or a forged one does no harm.
 */
export function mountNotifications(app: Hono, notifications: readonly Notification[]): void {
  if (notifications.length === 0) return;
  app.post('*', (context) => {
    const asked = digestOf(new URL(context.req.url).pathname);
    const found = notifications.filter(({ url }) => {
      const own = url();
      return own !== undefined && timingSafeEqual(digestOf(new URL(own).pathname), asked);
    });
    for (const { ring } of found) ring();
    return found.length === 0 ? context.json({ error: 'not found' }, 404) : context.body(null, 204);
  });
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
