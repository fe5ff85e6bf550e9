import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** Longest that the check may take; a probe of an orchestrator seldom waits longer. */
const CHECK_MS = 2_000;

/**
 * The worker's HTTP app: `GET /healthz` answers 200 while the worker runs and reaches its database, else 503. It is the one
 * route without authentication, so it tells nothing else.
 * @param check rejects, or does not answer in time, when something is wrong
 */
export function healthApp(check: () => Promise<void>): Hono {
  const app = new Hono();
  app.get('/healthz', async (c) => {
    const ok = await inTime(check());
    return c.json({ ok }, ok ? 200 : 503);
  });
  app.notFound((c) => c.json({ error: 'not found' }, 404));
  app.onError((_error, c) => c.json({ ok: false }, 503));
  return app;
}

async function inTime(checked: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  try {
    return await Promise.race([
      checked.then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
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
