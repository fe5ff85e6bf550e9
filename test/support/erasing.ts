import { once } from 'node:events';
import { createWorld, type RunningWorker, type World, type WorldOptions } from './world.ts';

/** For tests: the key of erasures. */
export const ERASE_KEY = 'a key of erasures that is long enough';
/** Top-level YAML with it. */
export const ERASURE = `erasure: { key: "${ERASE_KEY}" }`;

/** A world that can erase. */
export const eraseWorld = (options: WorldOptions = {}): Promise<World> => createWorld({ more: ERASURE, ...options });

/** As the command does. */
export async function erase(world: World, who: string, by = 'operator'): Promise<string> {
  const [row] = await world.db.sql.query<{ id: string }>(
    'select rollcall.erase(rollcall.with_key($1, $2), $3)::text as id',
    [who, ERASE_KEY, by],
  );
  return row!.id;
}

export interface Listed {
  readonly id: string;
  readonly by: string;
  readonly state: string;
  readonly destinations: Readonly<
    Record<string, { readonly read_back?: string; readonly state?: string; readonly found_again?: number }>
  >;
}

/** One erasure as it is listed. */
export async function listed(world: World, id: string): Promise<Listed> {
  const { rows } = await world.db.app.query('select rollcall.erasure_list($1) as list', [id]);
  return rows[0].list[0] as Listed;
}

/** Waits until a question about the database is answered with yes. */
export async function until(world: World, question: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await world.db.app.query(`select ${question} as yes`);
    if (rows[0].yes === true) return;
    if (performance.now() > deadline) {
      const told = world.logs.filter((line) => /^(?:error|warn)/.test(line)).slice(-5);
      const { rows: found } = await world.db.app.query(
        'select rollcall.erasure_list() as list, (select jsonb_agg(d) from rollcall.due d) as due',
      );
      throw new Error(`not in ${timeoutMs} ms: ${question}; ${told.join('; ')}; ${JSON.stringify(found)}`);
    }
    await once(AbortSignal.timeout(20), 'abort');
  }
}

/** Finished, and the log rotated. */
export async function erased(world: World, timeoutMs = 10_000): Promise<void> {
  await until(world, 'not exists (select from rollcall.erasures where finished_at is null)', timeoutMs);
  await until(world, '(select rotate_xid is null from rollcall.install)', timeoutMs);
}

/** Of a contact at the sandbox. */
export const statusOf = (world: World, email: string): string | undefined => world.sandbox.state.contact(email)?.status;

/** What the app is told, in a session that knows the key or not. */
export async function canEmail(world: World, who: string, key: string | null = ERASE_KEY): Promise<boolean> {
  const { rows } = await world.db.app.query(
    'select rollcall.can_email(k) as can from (select rollcall.with_key($1, $2) as k offset 0) x',
    [who, key],
  );
  return rows[0].can as boolean;
}

/** Starts a worker that looks often. */
export const startFast = (world: World): Promise<RunningWorker> =>
  world.start(undefined, { times: { eraseLookMs: 20, upkeepEveryMs: 200, keepEveryMs: 100, keepLookMs: 50 } });
