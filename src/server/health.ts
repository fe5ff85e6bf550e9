import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** What the worker says about itself; no personal data. */
export interface Health {
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

/**
 * The worker's HTTP app: `GET /healthz` answers 200 while the worker runs and reaches its database, else 503. It is the one
 * route without authentication, so it tells nothing else.
 */
export function healthApp(health: () => Promise<Health>): Hono {
  const app = new Hono();
  app.get('/healthz', async (c) => {
    const state = await health();
    return c.json(state, state.ok ? 200 : 503);
  });
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((_error, c) => c.json({ ok: false }, 503));
  return app;
}

/** Listens; resolves with the port. @throws the listen error, for example EADDRINUSE */
export async function listen(app: Hono, port: number, host: string): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: host }, (info) => {
      resolve({
        port: info.port,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
    server.once('error', reject);
  });
}
