import { USERS, withTables } from '../../support/tables.ts';
import type { Installed } from './support.ts';

/** Contacts that are delivered: `u1@x.test` and so on. */
export async function delivered(
  count: number,
  {
    brakes,
    attributes,
    ...more
  }: { brakes?: string; attributes?: string; consent?: string; destination?: string } = {},
): Promise<Installed> {
  const text = brakes === undefined ? '' : `brakes: ${brakes}`;
  const one = await withTables({
    ddl: 'select',
    connector: attributes === undefined ? USERS : `${USERS}\n  attributes: { ${attributes} }`,
    more: text,
    ...more,
  });
  await people(one, count);
  await one.foldAll();
  await one.deliverAll();
  return one;
}

export async function people(one: Installed, count: number, from = 1): Promise<void> {
  await one.db.app.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), 'u' || i || '@x.test', '{"full_name": "A", "yes": true}', now() from generate_series($1::int, $2::int) i`,
    [from, from + count - 1],
  );
}

/** Deletes users by their number, in one statement, and folds. */
export async function leave(one: Installed, from: number, to = from): Promise<void> {
  await one.db.app.query(
    `delete from auth.users where email in (select 'u' || i || '@x.test' from generate_series($1::int, $2::int) i)`,
    [from, to],
  );
  await one.foldAll();
}

/** Gives users another name, and folds. */
export async function rename(one: Installed, from: number, to: number, name = 'B'): Promise<void> {
  await one.db.app.query(
    `update auth.users set raw_user_meta_data = raw_user_meta_data || jsonb_build_object('full_name', $3::text)
      where email in (select 'u' || i || '@x.test' from generate_series($1::int, $2::int) i)`,
    [from, to, name],
  );
  await one.foldAll();
}

/** As if everything that the brakes counted had been so much earlier. */
export async function timePasses(one: Installed, interval: string): Promise<void> {
  await one.db.app.query(`update rollcall.brake_counts set at = at - $1::interval`, [interval]);
  await one.db.app.query(
    `update rollcall.brakes set stopped_at = stopped_at - $1::interval, allowance_until = allowance_until - $1::interval,
       contacts_at = contacts_at - $1::interval`,
    [interval],
  );
  await one.db.app.query(`update rollcall.desired set counted_at = counted_at - $1::interval`, [interval]);
}

export type Kind = 'deletes' | 'changes';

export interface BrakeStatus {
  readonly kind: Kind;
  readonly held: number;
  readonly stopped_at: string;
  readonly share: number;
  readonly least: number;
}

/** The brakes that hold somebody, as `status` has them. */
export async function holding(one: Installed): Promise<readonly BrakeStatus[]> {
  const { rows } = await one.db.app.query(`select rollcall.status() -> 'destinations' -> 0 -> 'brakes' as brakes`);
  return rows[0].brakes as readonly BrakeStatus[];
}

export async function held(one: Installed): Promise<Partial<Record<Kind, number>>> {
  return Object.fromEntries((await holding(one)).map((brake) => [brake.kind, brake.held]));
}

export async function stopped(one: Installed, kind: Kind): Promise<boolean> {
  const { rows } = await one.db.app.query('select stopped_at from rollcall.brakes where kind = $1', [kind]);
  return rows.some((row) => row.stopped_at !== null);
}

export async function release(
  one: Installed,
  kind: Kind,
  count: number | null,
): Promise<{ readonly released: number; readonly held: number; readonly allowance: number }> {
  const { rows } = await one.db.app.query(
    'select released::int, held::int, allowance::int from rollcall.release_held($1, $2, $3)',
    [one.destination, kind, count],
  );
  return rows[0] as { released: number; held: number; allowance: number };
}

/** What is sent now: the actions by their number. */
export async function sent(one: Installed): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { action } of await one.deliverAll()) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
