import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../src/sql/free-port.ts';
import { onCleanup, type TestDatabase } from './database.ts';

/** The PgBouncer of `ROLLCALL_PGBOUNCER`, or one on PATH, or null. */
export function findPooler(): string | null {
  const named = process.env['ROLLCALL_PGBOUNCER'];
  if (named !== undefined && named !== '') return named;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, 'pgbouncer')).find(isExecutable) ?? null;
}

/** A real PgBouncer in transaction mode in front of a database, as Supabase's pooler is on port 6543. */
export interface Pooler {
  /** The database through it, as the hosted role. */
  readonly url: string;
  /** Ends the process at once; who was connected is cut off. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/**
 * Each transaction gets the server connection that has rested longest, nothing is reset in between, and prepared statements are
 * not followed: whatever a session would have to remember is lost, or met by somebody else.
 * @param size most server connections
 */
export async function startPooler(binary: string, db: TestDatabase, size = 4): Promise<Pooler> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-pooler-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  const { hostname, port, username, password } = new URL(db.hostedUrl);
  const ownPort = await freePort();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: ownPort,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: join(folder, 'users.txt'),
    admin_users: decodeURIComponent(username),
    pool_mode: 'transaction',
    default_pool_size: size,
    server_round_robin: 1,
    server_reset_query: '',
    server_login_retry: 1,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const file = join(folder, 'pgbouncer.ini');
  await writeFile(file, `[databases]\n* = host=${hostname} port=${port}\n[pgbouncer]\n${lines.join('\n')}\n`);
  await writeFile(settings.auth_file, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  chmodSync(folder, 0o755);
  const url = new URL(db.hostedUrl);
  url.port = String(ownPort);
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  let stop = (): Promise<void> => Promise.resolve();
  const start = async (): Promise<void> => {
    const child = spawn(binary, ['-q', ...user, file], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    stop = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    await answers(url.toString(), () => child.exitCode === null);
  };
  onCleanup(() => stop());
  await start();
  return { url: url.toString(), kill: () => stop(), start };
}

async function answers(url: string, runs: () => boolean): Promise<void> {
  for (const until = performance.now() + 10_000; ;) {
    const client = new Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (!runs() || performance.now() > until) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
