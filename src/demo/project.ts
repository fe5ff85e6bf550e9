import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { packageMissing } from './packages.ts';

/** A Supabase project on this machine: @supabase/lite in front of a Postgres database. */
export interface Project {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  close(): Promise<void>;
}

/** Password hashing at its lowest cost: the demo shows sign-ups, not bcrypt. */
export const BCRYPT_COST = '4';

const PUBLISHABLE_KEY = 'sb_publishable_demo';
const SECRET_KEY = 'sb_secret_demo';

// @supabase/lite encodes jsonb twice over the postgres driver; text that is JSON already must pass as it is.
const passJson = (oid: number): object => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
});

/**
 * Starts the project: `auth.users` is made by @supabase/lite, sign-ups come over HTTP.
 * @param databaseUrl of an empty database, as a superuser
 * @throws RollcallError `RC_DEMO_PACKAGES` when the packages of the demo are not installed
 */
export async function startProject(databaseUrl: string): Promise<Project> {
  process.env['LITE_AUTH_BCRYPT_COST'] ??= BCRYPT_COST;
  process.env['LITE_TELEMETRY'] = '0';
  const { App, createPostgresConnection } = await loadLite();
  const connection = createPostgresConnection({
    url: databaseUrl,
    postgresOptions: { max: 6, onnotice: () => undefined, types: { json: passJson(114), jsonb: passJson(3802) } },
  });
  const app = new App({
    connection,
    auth: {
      enabled: true,
      enable_signup: true,
      jwt_secret: 'a-secret-for-the-demo-on-this-machine-only',
      publishable_key: PUBLISHABLE_KEY,
      secret_key: SECRET_KEY,
      email: { enable_confirmations: false },
    },
  });
  await app.ensureSystemSchema();
  const listener = getRequestListener((request) => app.fetch(request), { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    publishableKey: PUBLISHABLE_KEY,
    secretKey: SECRET_KEY,
    async close() {
      await closeServer(server);
      await connection.close();
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Lite {
  readonly App: new (config: object) => {
    ensureSystemSchema(): Promise<void>;
    fetch(request: Request): Response | Promise<Response>;
  };
  readonly createPostgresConnection: (config: object) => { close(): Promise<void> };
}

// Named through variables: the packages are no dependencies of Rollcall, and need not be there to compile or run it.
const LITE = '@supabase/lite';
const LITE_POSTGRES = '@supabase/lite/postgres';

async function loadLite(): Promise<Lite> {
  try {
    return { ...((await import(LITE)) as object), ...((await import(LITE_POSTGRES)) as object) } as Lite;
  } catch (cause) {
    throw packageMissing('RC_DEMO_PACKAGES', cause);
  }
}
