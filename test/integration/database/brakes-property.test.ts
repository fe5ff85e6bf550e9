import fc from 'fast-check';
import { expect, test } from 'vitest';
import { delivered, people, release, rename, timePasses } from './brakes-support.ts';
import type { Installed } from './support.ts';

const CONTACTS = 200;
/** More than 2% of 200 and at least 10: ten in an hour are too many. */
const MOST = 9;

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('leave'), n: fc.integer({ min: 1, max: 14 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('vanish'), n: fc.integer({ min: 1, max: 14 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ban'), n: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forgive'), n: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join'), n: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('edit'), n: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), n: fc.integer({ min: 1, max: 80 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release'), n: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver'), n: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tidy'), n: fc.constant(0) }) },
);

/** What happened, by a clock that only \`wait\` moves; in minutes. */
interface Run {
  readonly one: Installed;
  now: number;
  joined: number;
  /** Deletions that became claimable, and how many somebody said yes to, each with its time. */
  readonly left: { at: number; n: number }[];
  readonly said: { at: number; n: number }[];
}

async function some(one: Installed, n: number, where = 'true'): Promise<string[]> {
  const { rows } = await one.db.app.query(`select id from auth.users where ${where} order by email limit $1`, [n]);
  return rows.map((row) => row.id as string);
}

async function act(run: Run, what: string, n: number): Promise<void> {
  const { one } = run;
  const { app } = one.db;
  switch (what) {
    case 'leave':
      await app.query('delete from auth.users where id = any($1)', [await some(one, n)]);
      return void (await one.foldAll());
    case 'vanish':
      await app.query('set session_replication_role = replica');
      await app.query('delete from auth.users where id = any($1)', [await some(one, n)]);
      await app.query('set session_replication_role = origin');
      return void (await one.sweepNow());
    case 'ban':
      await app.query(`update auth.users set banned_until = now() + interval '1 day' where id = any($1)`, [
        await some(one, n),
      ]);
      return void (await one.foldAll());
    case 'forgive':
      await app.query('update auth.users set banned_until = null where banned_until is not null');
      return void (await one.foldAll());
    case 'join':
      await people(one, n, run.joined);
      run.joined += n;
      return void (await one.foldAll());
    case 'edit':
      return rename(one, 1, n * 10, `N${run.now}`);
    case 'wait':
      run.now += n;
      return timePasses(one, `${n} minutes`);
    case 'release':
      run.said.push({ at: run.now, n });
      return void (await release(one, 'deletes', n));
    case 'tidy':
      await one.store.tidy(1e9);
      return;
    default: {
      const claimed = await one.deliverAll();
      run.left.push({ at: run.now, n: claimed.filter(({ action }) => action === 'delete').length });
    }
  }
}

test('whatever happens in whatever order: no more deletions leave in an hour than may, but for those that somebody released', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const one = await delivered(CONTACTS);
      const run: Run = { one, now: 0, joined: 10_000, left: [], said: [] };
      // Each step is followed by a worker's look, so that nothing waits for longer than the hour it was counted in.
      for (const { do: what, n } of steps) {
        await act(run, what, n);
        await act(run, 'deliver', 0);
        for (const { at } of run.left) {
          const inHour = (entry: { at: number }): boolean => entry.at <= at && entry.at > at - 60;
          const sum = (entries: readonly { at: number; n: number }[]): number => entries.reduce((s, e) => s + e.n, 0);
          // A release holds for what is held then, or for an hour: what it lets out leaves within an hour of it.
          const said = run.said.filter((entry) => entry.at <= at && entry.at > at - 120);
          // An emptied brake counts from nothing, and so once for each release.
          const most = MOST * (1 + said.length) + sum(said);
          expect(sum(run.left.filter(inHour))).toBeLessThanOrEqual(most);
        }
      }
      // What did not leave is held or gone: a release of all of it brings everything in step.
      await release(one, 'deletes', null);
      await one.deliverAll();
      const { rows } = await one.db.app.query('select count(*)::int as n from rollcall.due where lane <> 3');
      expect(rows[0].n).toBe(0);
    }),
    {
      numRuns: Number(process.env['ROLLCALL_BRAKES_RUNS'] ?? 7),
      seed: Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1),
    },
  );
});
