import { setTimeout as pause } from 'node:timers/promises';
import { startSandbox } from '../../../src/sandbox/start.ts';
import type { StandIn } from '../../../src/sandbox/stand-in.ts';
import type { Sandbox } from '../../../src/sandbox/types.ts';
import { secretOfToken } from '../../../src/destinations/webhook/secret.ts';
import { createDatabase, onCleanup, type TestDatabase } from '../../support/database.ts';
import { createWorld, type World, type WorldOptions } from '../../support/world.ts';
import { createPlatform, deploySql } from './support.ts';
import { PATIENCE_MS } from '../../support/people.ts';

export type Kind = 'mailtrap' | 'sendry' | 'brevo' | 'tajo' | 'webhook';

/** The option that holds the key; the sandbox's own limits are widened by the same number. */
const OPTIONS: Readonly<Record<Kind, (url: string) => string>> = {
  mailtrap: (url) => `api_token: "\${vault:KEY}"\nbase_url: ${url}\nlimits_scale: 10000`,
  sendry: (url) => `api_key: "\${vault:KEY}"\nbase_url: ${url}\nlimits_scale: 10000`,
  brevo: (url) => `api_key: "\${vault:KEY}"\nbase_url: ${url}\nlimits_scale: 10000`,
  tajo: (url) => `api_key: "\${vault:KEY}"\nbase_url: ${url}\nlimits_scale: 10000`,
  webhook: (url) => `secret: "\${vault:KEY}"\nurl: ${url}\nlimits_scale: 10000`,
};

/** A project that delivers by SQL alone to a stand-in of one destination. */
export interface Project {
  readonly db: TestDatabase;
  readonly world: World;
  readonly sandbox: Sandbox;
  readonly standIn: StandIn;
  /** What Vault has as `KEY`. */
  readonly key: string;
}

/** @param more lines of the destination */
export async function createProject(
  kind: Kind,
  more = '',
  options: WorldOptions & { readonly secrets?: boolean; readonly scale?: number } = {},
): Promise<Project> {
  const db = options.db ?? (await createDatabase());
  const sandbox = await startSandbox({ only: [kind], limitsScale: options.scale ?? 10_000 });
  onCleanup(() => sandbox.close());
  const { url, token, standIn } = sandbox.of(kind);
  const key = kind === 'webhook' ? secretOfToken(token) : token;
  for (const name of ['FIRSTNAME', 'N']) standIn.addField?.(name, 'text');
  await createPlatform(db, options.secrets === false ? {} : { KEY: key });
  const lines = `${OPTIONS[kind](url).replace('10000', String(options.scale ?? 10_000))}\n${more}`.replaceAll(
    /^(?=.)/gm,
    '  ',
  );
  const world = await createWorld({ ...options, db, instead: `${kind}:\n${lines}` });
  await deploySql(db, world.config);
  return { db, world, sandbox, standIn, key };
}

/** Signs people up in one statement: `p1@example.com` and so on. */
export async function signUpAll({ db }: Project, count: number): Promise<void> {
  await db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com', jsonb_build_object('full_name', 'Person ' || i), now() from generate_series(1, $1::int) i`,
    [count],
  );
}

/** Waits until a query's only value is true. */
export async function until({ db }: Project, query: string, timeoutMs = PATIENCE_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await db.app.query<{ is: boolean }>(`select (${query}) as is`);
    if (rows[0]?.is === true) return;
    if (performance.now() > deadline) throw new Error(`not so in ${timeoutMs} ms: ${query}`);
    await pause(20);
  }
}
