import { expect } from 'vitest';
import type { SandboxCall } from '../../src/sandbox/call-log.ts';
import type { World } from './world.ts';

/** Signs `count` people up in one statement: `p1@example.com` and so on. */
export async function signUpMany(world: World, count: number, from = 1): Promise<void> {
  await world.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'p' || i || '@example.com', jsonb_build_object('full_name', 'Person ' || i, 'n', 0), now()
       from generate_series($1::int, $2::int) i`,
    [from, from + count - 1],
  );
}

/** Whether the sweep that follows an install is over: what it would find and fold from now on is left to what a test does. */
export async function isFirstSweepOver({ db }: Pick<World, 'db'>): Promise<boolean> {
  const { rows } = await db.app.query(
    'select from rollcall.install where sweep_report is not null and sweep_until is null and sweep_again_at is null',
  );
  return rows.length === 1;
}

/** Waits for that, beside a worker. */
export function firstSweepOver(world: Pick<World, 'db'>): Promise<void> {
  return eventually(() => isFirstSweepOver(world));
}

/** Every living user is one contact with their current data, and nobody else is: compared by plain SQL over `auth.users`. */
export async function expectInStep(world: World): Promise<void> {
  const { rows } = await world.db.app.query<{ email: string; name: string | null; n: string | null }>(
    `select lower(email) as email, raw_user_meta_data ->> 'full_name' as name, raw_user_meta_data ->> 'n' as n
       from auth.users where email is not null and deleted_at is null and not is_anonymous`,
  );
  const wanted = rows.map(({ email, name, n }) => line(email, name, n)).toSorted();
  const found = world.sandbox.state
    .contacts()
    .map((c) => line(c.email, c.fields['FIRSTNAME'], c.fields['N']))
    .toSorted();
  expect(found).toEqual(wanted);
}

function line(email: string, name: unknown, n: unknown): string {
  return JSON.stringify([email, name ?? null, n ?? null]);
}

/** When a call was being worked on, by the sandbox's clock: from when it was read whole to when it was answered. */
export function spanOf(call: SandboxCall): { readonly from: number; readonly to: number } {
  return { from: call.at - call.ms, to: call.at };
}

/** So long is waited for what shall come; a busy machine is no failure. */
export const PATIENCE_MS = 120_000;

/** Waits for a condition that has no signal of its own. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = PATIENCE_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not so after ${timeoutMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** Pairs of calls about one address that were in flight together. */
export function overlaps(calls: readonly SandboxCall[]): readonly (readonly [SandboxCall, SandboxCall])[] {
  const last = new Map<string, SandboxCall>();
  const found: (readonly [SandboxCall, SandboxCall])[] = [];
  for (const call of calls.toSorted((a, b) => spanOf(a).from - spanOf(b).from)) {
    const address = bodyOf(call)?.email;
    if (address === undefined) continue;
    const before = last.get(address);
    // The sandbox's clock counts whole milliseconds.
    if (before !== undefined && spanOf(call).from < spanOf(before).to - 2) found.push([before, call]);
    if (before === undefined || spanOf(call).to > spanOf(before).to) last.set(address, call);
  }
  return found;
}

/** What a PATCH said of its contact. */
export function bodyOf(
  call: SandboxCall,
): { readonly email?: string; readonly fields?: Record<string, unknown>; readonly unsubscribed?: boolean } | undefined {
  if (call.body === '') return undefined;
  return (JSON.parse(call.body) as { contact?: object }).contact;
}
