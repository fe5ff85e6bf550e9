import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/program.ts';
import { onCleanup } from '../support/database.ts';

/** For tests: what a command line has left behind. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Answers of the person at the terminal, in order; without it nobody is there. */
  readonly answers?: readonly boolean[];
  /** Both streams are terminals. */
  readonly tty?: boolean;
  readonly columns?: number;
  /** Sends SIGTERM when it aborts. */
  readonly stop?: AbortSignal;
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
}

/** For tests: runs a command line in this process, as `main` does in its own. */
export async function rollcall(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const answers = [...(options.answers ?? [])];
  const stream = (into: string[], tell?: (text: string) => void): Io['stdout'] => ({
    isTTY: options.tty,
    columns: options.columns,
    write: (text) => {
      into.push(text);
      tell?.(text);
    },
  });
  const io: Io = {
    env: options.env ?? {},
    stdout: stream(out, options.onStdout),
    stderr: stream(err, options.onStderr),
    interactive: options.answers !== undefined,
    confirm: (question) => {
      out.push(`? ${question}\n`);
      return Promise.resolve(answers.shift() === true);
    },
    onSignal: (listener) => {
      const run = (): void => listener('SIGTERM');
      options.stop?.addEventListener('abort', run);
      return () => options.stop?.removeEventListener('abort', run);
    },
    exitNow: (code) => {
      throw new Error(`exitNow(${code})`);
    },
  };
  const code = await main(argv, io);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

/** For tests: a folder that is gone when the test ends. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** For tests: writes a file into a folder of its own and returns its path. */
export async function tempFile(name: string, text: string): Promise<string> {
  const path = join(await tempFolder(), name);
  await writeFile(path, text);
  return path;
}

/** For tests: the same for all tests of a file; the folder is gone when what comes with it is called. */
export async function lastingFile(
  name: string,
  text: string,
): Promise<readonly [path: string, end: () => Promise<void>]> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
  const path = join(folder, name);
  await writeFile(path, text);
  return [path, () => rm(folder, { recursive: true, force: true })];
}

/** For tests: a small config for a sandbox. `extra` is appended, `destination` goes under the destination. */
export function configText(
  baseUrl: string,
  more: { readonly destination?: string; readonly extra?: string } = {},
): string {
  return `database_url: "\${DATABASE_URL}"
environment: test
connectors:
  supabase:
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      created_at: SIGNUP_DATE
      unconfirmed: true
destinations:
  mailtrap:
    api_token: "\${MAILTRAP_TOKEN}"
    base_url: ${baseUrl}
    limits_scale: 100
    ${more.destination ?? ''}
consent: nobody
${more.extra ?? ''}
`;
}
