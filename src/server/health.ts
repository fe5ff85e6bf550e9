import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { inTime } from './in-time.ts';

/** Longest that a check may take; a probe of an orchestrator seldom waits longer. */
const CHECK_MS = 2_000;

/** What the probes ask. Each rejects, or does not answer in time, when something is wrong. */
export interface Checks {
  /** The worker reaches its database. */
  readonly alive: () => Promise<void>;
  /** What it still waits for before it can be relied upon; undefined when nothing. */
  readonly waitingFor: () => Promise<'install' | 'fold' | 'stop' | undefined>;
}

/**
 * The worker's HTTP app. `GET /healthz` answers 200 while the worker runs and reaches its database, `GET /readyz` while it also fits
 * the install, has folded, and is not being stopped; else 503. They are the routes without authentication, so they tell nothing
 * else.
 */
export function healthApp({ alive, waitingFor }: Checks): Hono {
  const app = new Hono();
  app.get('/healthz', async (c) => {
    const ok = await inTime(
      alive().then(() => true),
      CHECK_MS,
      false,
    );
    return c.json({ ok }, ok ? 200 : 503);
  });
  app.get('/readyz', async (c) => {
    const waiting = await inTime(waitingFor(), CHECK_MS, 'database' as const);
    return waiting === undefined ? c.json({ ready: true }) : c.json({ ready: false, waiting_for: waiting }, 503);
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
