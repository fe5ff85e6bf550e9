import type pg from 'pg';
import { connected } from '../database.ts';
import { mean } from '../stats.ts';
import { amount, type Measured, progress, rate } from '../table.ts';

/** A database whose sign-ups are measured: without capture, with the recipe, with a home's. */
export interface Variant {
  readonly name: string;
  readonly url: string;
  readonly client: pg.Client;
}

/** Short and many: other work on the machine comes and goes, and a round meets the same machine throughout. */
const ROUNDS = 60;
const EMPTY_EVERY = 15;
/** Rounds that warm caches and plans, and do not count. */
const WARM = 5;
const CLIENTS = [1, 4];
/** Of what the recipe takes of the sign-ups' rate, at most. */
const SHARE = 0.5;

const SIGN_UP = `insert into auth.users (id, email, raw_user_meta_data, created_at)
  values (gen_random_uuid(), gen_random_uuid() || '@example.com', '{"first_name": "Ann", "last_name": "Lee", "full_name": "Ann Lee"}', now())`;

/**
 * What each takes of the rate of sign-ups, a row a transaction, while nothing delivers. All are measured one after another in each round;
 * what each loses of all that were made without capture, and the time that it adds to one.
 * @param variants `none` first, `recipe` second, then the homes
 */
export async function cost(variants: readonly Variant[], forMs: number): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const clients of CLIENTS) {
    const rates = new Map(variants.map(({ name }) => [name, [] as number[]]));
    const writers = new Map<string, readonly pg.Client[]>();
    for (const { name, url } of variants) {
      writers.set(name, await Promise.all(Array.from({ length: clients }, () => connected(url))));
    }
    for (let round = 0; round < WARM + ROUNDS; round += 1) {
      for (const [n] of variants.entries()) {
        // Whoever goes first meets a colder machine.
        const variant = variants[(n + round) % variants.length]!;
        if (round % EMPTY_EVERY === 0) await empty(variant);
        const found = await signUps(writers.get(variant.name)!, forMs);
        if (round >= WARM) rates.get(variant.name)!.push(found);
      }
    }
    progress(`cost, ${clients} clients`);
    await Promise.all([...writers.values()].flat().map((writer) => writer.end()));
    measured.push(...compared(rates, clients));
  }
  return measured;
}

function compared(rates: ReadonlyMap<string, readonly number[]>, clients: number): readonly Measured[] {
  const what = `sign-ups, ${clients === 1 ? '1 client' : `${clients} clients`}`;
  const of = (name: string): number => mean(rates.get(name)!);
  const lost = (name: string): number => 100 * (1 - of(name) / of('none'));
  const allowed = lost('recipe') * SHARE;
  return [
    rate(`${what}: no capture`, of('none')),
    ...[...rates.keys()].slice(1).flatMap((name): readonly Measured[] => {
      const value = Math.round(lost(name) * 10) / 10;
      const who = `${what}: the ${name === 'recipe' ? 'recipe' : `${name} home`}`;
      const adds = amount(`${who} adds to each`, clients * 1_000 * (1 / of(name) - 1 / of('none')), 'ms');
      const row = { name: `${who} takes`, value, unit: '%' };
      if (name === 'recipe') return [row, adds];
      // A loss too small to be told from none is one of half a percent.
      const toTarget = Math.round((100 * allowed) / Math.max(value, 0.5)) / 100;
      return [{ ...row, target: Math.round(allowed * 10) / 10, toTarget }, adds];
    }),
  ];
}

/** So that none pays for what another wrote. */
async function empty({ name, client }: Variant): Promise<void> {
  await client.query('truncate auth.users');
  if (name === 'recipe') await client.query('truncate net.http_request_queue, public.sendry_sync_log');
  else if (name !== 'none') await client.query('truncate rollcall.changes_0, rollcall.changes_1, rollcall.changes_2');
  await client.query('checkpoint');
}

async function signUps(writers: readonly pg.Client[], forMs: number): Promise<number> {
  const started = performance.now();
  let done = 0;
  await Promise.all(
    writers.map(async (writer) => {
      while (performance.now() - started < forMs) {
        await writer.query(SIGN_UP);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - started);
}
