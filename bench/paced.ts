import type pg from 'pg';
import { passed, poll } from './poll.ts';
import type { Sink } from './sink.ts';

const PER_SECOND = 500;
const COUNT = 2_000;

/** What sign-ups at a steady pace feel, in ms. */
export interface Paced {
  /** How long the statement took, its commit included. */
  readonly statements: readonly number[];
  /** From the commit's acknowledgement to the sink's having the request; empty without a sink. */
  readonly latencies: readonly number[];
}

let runs = 0;

/** Signs people up one by one, one every 2 ms. */
export async function paced(client: pg.Client, sink: Sink | undefined): Promise<Paced> {
  runs += 1;
  await sink?.reset();
  const statements: number[] = [];
  const committed = new Map<string, number>();
  const started = performance.now();
  for (let n = 0; n < COUNT; n += 1) {
    const wait = started + (n * 1_000) / PER_SECOND - performance.now();
    if (wait > 1) await passed(wait);
    const email = `p${runs}-${n}@example.com`;
    const begun = performance.now();
    await client.query(
      `insert into auth.users (id, email, raw_user_meta_data, created_at)
       values (gen_random_uuid(), $1, jsonb_build_object('full_name', 'Person'), now())`,
      [email],
    );
    statements.push(performance.now() - begun);
    committed.set(email, Date.now());
  }
  if (sink === undefined) return { statements, latencies: [] };
  await poll(async () => (await sink.count()) >= COUNT);
  const seen = await sink.seen();
  const latencies = [...committed].map(([email, at]) => Math.max(0, (seen.get(email) ?? Number.NaN) - at));
  return { statements, latencies };
}
