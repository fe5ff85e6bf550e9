import type pg from 'pg';
import { poll } from '../poll.ts';
import type { StandIns } from '../stand-ins.ts';
import { progress } from '../table.ts';

const WARM = 400;

/**
 * How many contacts a second arrive when so many sign up at once, measured from that statement to the last one's arrival, after some
 * that warm all of it.
 * @param paceMs what the sender rests after its last batch as after every other: part of its pace
 */
export async function drain(
  client: pg.Client,
  standIns: StandIns,
  to: string,
  count: number,
  paceMs = 0,
): Promise<number> {
  await arrived(client, standIns, to, WARM);
  const took = await arrived(client, standIns, to, count);
  const perSecond = (count * 1_000) / (took + paceMs);
  progress(`drained ${count} to ${to}: ${Math.round(perSecond)}/s`);
  return perSecond;
}

async function arrived(client: pg.Client, standIns: StandIns, to: string, count: number): Promise<number> {
  const before = await standIns.contacts(to);
  const started = performance.now();
  await client.query(
    `insert into auth.users (id, email, raw_user_meta_data, created_at)
     select gen_random_uuid(), gen_random_uuid() || '@example.com',
       jsonb_build_object('first_name', 'Ann', 'last_name', 'Lee', 'full_name', 'Person ' || n), now() from generate_series(1, $1::int) n`,
    [count],
  );
  await poll(async () => (await standIns.contacts(to)) >= before + count, 10, 3 * 60_000);
  return performance.now() - started;
}
