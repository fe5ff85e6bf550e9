import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLastingDatabase, type TestDatabase } from '../support/database.ts';
import { parseFault } from '../../src/sandbox/parse-fault.ts';
import { type Sandbox, startSandbox } from '../support/mailtrap-sandbox.ts';
import { eventually, isFirstSweepOver } from '../support/people.ts';
import { type Ran, rollcall, type RunOptions } from './run-cli.ts';

/** For tests: one database, one sandbox and one folder with a config, in which all golden lines are typed one after the other. */
export interface Stage {
  readonly db: TestDatabase;
  readonly sandbox: Sandbox;
  /** Types a line, without the word `rollcall`; quotes hold words together. */
  type(line: string, options?: RunOptions): Promise<Ran>;
  /** Signs people up, of whom all is known: the same in every run. */
  signUp(...names: readonly string[]): Promise<void>;
  /** A worker delivers what is due, and ends. */
  deliver(): Promise<void>;
  /** The sweeps that follow an install are over. */
  swept(): Promise<void>;
  /** The destination refuses this person. */
  refuse(name: string): void;
  /** As the app, or as what went wrong. */
  sql(text: string): Promise<void>;
  write(file: string, text: string): Promise<void>;
  /** A text without what differs from run to run; what stands in its place is as long, so that lines break as they did. */
  same(text: string): string;
  end(): Promise<void>;
}

const CONFIG = `database_url: "\${DATABASE_URL}"
environment: test
connectors:
  supabase:
    user_mapping:
      email: email
      user_metadata.full_name: FIRSTNAME
      unconfirmed: true
destinations:
  mailtrap:
    api_token: "\${MAILTRAP_TOKEN}"
    base_url: "\${BASE_URL}"
    limits_scale: 10000
consent: { everyone: "they agreed to the terms" }
delivery: { grace: 300ms }
erasure: { key: "\${ERASURE_KEY}" }
`;

export async function openStage(): Promise<Stage> {
  const [db, endDatabase] = await createLastingDatabase();
  const sandbox = await startSandbox({ limitsScale: 10_000 });
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-goldens-'));
  const before = process.cwd();
  await writeFile(join(folder, 'rollcall.yaml'), CONFIG);
  await mkdir(join(folder, 'supabase', 'migrations'), { recursive: true });
  process.chdir(folder);
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token, BASE_URL: sandbox.apiUrl, ERASURE_KEY };
  const type: Stage['type'] = (line, options = {}) =>
    rollcall(words(line), { ...options, env: { ...env, ...options.env } });
  const work = async (over: () => Promise<boolean>): Promise<void> => {
    const stop = new AbortController();
    const ended = type('start --no-health', { stop: stop.signal });
    await eventually(over);
    stop.abort();
    await ended;
  };
  return {
    db,
    sandbox,
    type,
    deliver: () =>
      work(async () => {
        const { rows } = await db.app.query<{ left: boolean }>(LEFT);
        return rows[0]?.left === false;
      }),
    swept: () => work(() => isFirstSweepOver({ db })),
    refuse: (name) => sandbox.addFaults([parseFault(`reject=${name}@example.com`)]),
    async signUp(...names) {
      for (const name of names) {
        await db.app.query(
          `insert into auth.users (id, email, raw_user_meta_data, created_at) values ($1, $2, $3, '2026-01-02 03:04:05Z')`,
          [name.startsWith('ann') ? ANN : randomUUID(), `${name}@example.com`, { full_name: name }],
        );
      }
    },
    async sql(text) {
      await db.app.query(text);
    },
    write: (file, text) => writeFile(join(folder, file), text),
    same: (text) => same(text, folder, db.name),
    async end() {
      process.chdir(before);
      await sandbox.close();
      await endDatabase();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** 32 bytes, as `openssl rand -base64 32` makes them. */
const ERASURE_KEY = Buffer.alloc(32, 'rollcall').toString('base64');

/** The user whose address begins with ann. */
export const ANN = '00000000-0000-4000-8000-000000000001';

/** Something is due that no brake holds, or not folded, or not swept. */
const LEFT = `select exists (select from rollcall.due where lane < 2) or jsonb_path_exists(rollcall.status(), '$ ? (@.unfolded > 0 || @.sweep_wanted == true)') as left`;

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const RULES: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/127\.0\.0\.1:\d+/g, '127.0.0.1:54321'],
  [/\d{4}-\d\d-\d\d(T| )\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC)/g, (at) => at.replaceAll(/\d/g, '0')],
  [/\b\d{19}\b/g, '7700000000000000000'],
  [/\b\d{4,7} \d{4,7} \d{4,7}\b( +(?=\*))?/g, (oids) => '16001 16002 16003'.padEnd(oids.length)],
  [/\bcontact \d+\b/g, 'contact 2'],
  [/#key=[0-9a-f]+/g, '#key=0123'],
  [/\d{14}_rollcall/g, '20260102030405_rollcall'],
  [/^\d{4}-\d\d-\d\d(?= UTC$)/gm, '2026-01-02'],
  [/^\d\d:\d\d:\d\d(?= )/gm, '03:04:05'],
  [/ +[\d,]+ ms$/gm, '  N ms'],
  [/(?<![\d,])[\d,]+(\.\d+)? (ms|s|min)\b/g, 'N s'],
  [/\b\d+ functions\b/g, '99 functions'],
  [/\bPostgres \d+(\.\d+)?/g, 'Postgres 18.0'],
  [
    /\b[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\b/g,
    (id) => (id === ANN ? id : '11111111-2222-4333-8444-555555555555'),
  ],
  [/"(pid|ms|latency_ms|seconds|health|port)":\d+/g, '"$1":0'],
];

function same(text: string, folder: string, database: string): string {
  const plain = text.replaceAll(folder, '/project').replaceAll(database, 't_0000');
  return RULES.reduce((found, [pattern, by]) => found.replaceAll(pattern, by as string), plain);
}
