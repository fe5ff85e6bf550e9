import pg from 'pg';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { registry } from '../destinations/registry.ts';
import type { Logger } from '../engine/ports.ts';
import { runWorker } from '../homes/worker.ts';
import { parseFault } from '../sandbox/parse-fault.ts';
import { startSandbox } from '../sandbox/start.ts';
import type { Sandbox } from '../sandbox/types.ts';
import { applyInstall } from '../sql/apply.ts';
import { openPg } from '../sql/pg.ts';
import { projectRef } from '../sql/project-ref.ts';
import { startCluster } from './cluster.ts';
import { crowd } from './crowd.ts';
import { createPeople } from './people.ts';
import { BCRYPT_COST, startProject } from './project.ts';
import { createScreen } from './screen.ts';

export interface DemoOptions {
  /** How many sign up; a few at a time, for ever, when undefined. */
  readonly users: number | undefined;
  /** End when all are in step. */
  readonly exit: boolean;
  /** One JSON line at the end instead of the table. */
  readonly json: boolean;
  /** Faults of the sandbox, as `rollcall sandbox --fault` takes them. */
  readonly faults: readonly string[];
  /** How many times the vendor's rate limits the sandbox allows. */
  readonly limitsScale: number;
  /** Port of the sandbox and its page; a free one when undefined. */
  readonly port: number | undefined;
}

const DATABASE = 'demo';

/**
 * Runs the whole product on this machine: Postgres, sign-ups through supabase-js, the worker, and a stand-in of Mailtrap.
 * @returns whether all contacts were in step at the end
 * @throws RollcallError when a package of the demo is missing or a fault cannot be read
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const started = performance.now();
  const faults = options.faults.map((text) => parseFault(text));
  const screen = createScreen(options.json);
  screen.say('Starting Postgres, a Supabase project, the Mailtrap sandbox and a worker ...');
  const closers: (() => Promise<void>)[] = [];
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    const cluster = await startCluster({ settings: { track_commit_timestamp: 'on', max_connections: '60' } });
    closers.push(() => cluster.destroy());
    const databaseUrl = await createDatabase(cluster.url('postgres'), cluster.url(DATABASE));
    const project = await startProject(databaseUrl);
    closers.push(() => project.close());
    const sandbox = await startSandbox({
      only: ['mailtrap'],
      port: options.port,
      limitsScale: options.limitsScale,
      faults,
    });
    closers.push(() => sandbox.close());
    const config = demoConfig(databaseUrl, sandbox, options.limitsScale);
    await install(config, databaseUrl, sandbox);
    const worker = runWorker({ config, log: SILENT }, stop.signal);
    closers.push(async () => {
      stop.abort();
      await worker;
    });
    screen.ready({
      pageUrl: sandbox.pageUrl,
      notes: [
        `vendor limits x${options.limitsScale} (${200 * options.limitsScale} requests a minute)`,
        `password hashing at its lowest cost (LITE_AUTH_BCRYPT_COST=${process.env['LITE_AUTH_BCRYPT_COST'] ?? BCRYPT_COST})`,
        ...options.faults.map((fault) => `fault: ${fault}`),
      ],
    });
    const people = await createPeople(project);
    const app = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    // Ctrl-C reaches the server too, so its connections may end before we do.
    app.on('error', () => undefined);
    closers.push(() => app.end());
    const going = crowd({
      people,
      app,
      sandbox,
      screen,
      users: options.users,
      exit: options.exit,
      signal: stop.signal,
    });
    closers.push(async () => {
      stop.abort();
      await going.catch(() => undefined);
    });
    const result = await Promise.race([going, worker.then(() => undefined)]).catch((error: unknown) => {
      if (stop.signal.aborted) return undefined;
      throw error;
    });
    if (result === undefined) return true;
    const summary = {
      ...result,
      seconds: round((performance.now() - started) / 1000),
      limits_scale: options.limitsScale,
    };
    screen.end(summary);
    return result.in_step;
  } finally {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
    screen.close();
    for (const close of closers.toReversed()) await close().catch(() => undefined);
  }
}

const SILENT: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

async function createDatabase(maintenanceUrl: string, url: string): Promise<string> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
    // Roles that every Supabase project has.
    for (const role of ['anon', 'authenticated', 'service_role']) await client.query(`create role ${role} nologin`);
  } finally {
    await client.end();
  }
  return url;
}

function demoConfig(databaseUrl: string, sandbox: Sandbox, limitsScale: number): Config {
  const yaml = `
environment: development
database_url: \${DEMO_DATABASE_URL}
connectors:
  supabase:
    sync: { users: true }
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE
      attributes: { SOURCE: { const: supabase } }
destinations:
  mailtrap:
    api_token: \${DEMO_TOKEN}
    base_url: ${sandbox.of('mailtrap').url}
    limits_scale: ${limitsScale}
consent: { everyone: "people of the demo agreed" }
# Short waits, so that whoever plays with faults sees them heal.
delivery: { grace: 2s, retry: { longest: 4s } }
brakes: off
`;
  return parseConfig(yaml, {
    file: 'demo.yaml',
    env: { DEMO_DATABASE_URL: databaseUrl, DEMO_TOKEN: sandbox.of('mailtrap').token },
    registry,
  });
}

async function install(config: Config, databaseUrl: string, sandbox: Sandbox): Promise<void> {
  const { standIn } = sandbox.of('mailtrap');
  standIn.addField('FIRSTNAME', 'text');
  standIn.addField('SIGNUP_DATE', 'date');
  standIn.addField('SOURCE', 'text');
  const sql = openPg({ url: databaseUrl });
  try {
    await applyInstall(sql, config, projectRef(databaseUrl, undefined));
  } finally {
    await sql.close();
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
