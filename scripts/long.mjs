// Tests that take a third of a minute or more each: they make everything of a table of states happen, or kill, stop and fill what the
// others only use. `npm test` runs all of them. CI, whose time is short, runs as many as it has time for, in an order that
// changes with the commit, and says which are left.
import { spawnSync } from 'node:child_process';
import { vitest } from './vitest.mjs';

export const LONG = [
  'test/chaos/disaster.test.ts',
  'test/chaos/disaster-homes.test.ts',
  'test/chaos/erasure-kill.test.ts',
  'test/chaos/interleaving-api.test.ts',
  'test/chaos/storm.test.ts',
  'test/cli/adopt-recipe.test.ts',
  'test/cli/adopt.test.ts',
  'test/cli/audit.test.ts',
  'test/cli/install.test.ts',
  'test/cli/sources.test.ts',
  'test/conformance/homes.test.ts',
  'test/deno/kill.test.ts',
  'test/deno/sign-ups.test.ts',
  'test/integration/database/app-migrations.test.ts',
  'test/integration/database/app-migrations-tables.test.ts',
  'test/integration/database/app-never-hurt.test.ts',
  'test/integration/database/bad-cast.test.ts',
  'test/integration/database/brakes.test.ts',
  'test/integration/database/delivery-states.test.ts',
  'test/integration/database/event-states.test.ts',
  'test/integration/database/sweep-tables.test.ts',
  'test/integration/delivery/alerts.test.ts',
  'test/integration/delivery/brevo.test.ts',
  'test/integration/delivery/bulk.test.ts',
  'test/integration/delivery/connections.test.ts',
  'test/integration/delivery/consent.test.ts',
  'test/integration/delivery/erasure.test.ts',
  'test/integration/delivery/failover.test.ts',
  'test/integration/delivery/limits.test.ts',
  'test/integration/delivery/newest-wins.test.ts',
  'test/integration/delivery/no-hostage.test.ts',
  'test/integration/delivery/outage.test.ts',
  'test/integration/delivery/pooler.test.ts',
  'test/integration/delivery/stays-gone.test.ts',
  'test/integration/delivery/sweep.test.ts',
  'test/integration/delivery/two-way.test.ts',
  'test/integration/delivery/webhook.test.ts',
  'test/integration/delivery/workers.test.ts',
  'test/integration/sql-home/in-step.test.ts',
  'test/integration/sql-home/life.test.ts',
  'test/integration/wal/wal.test.ts',
  'test/package/container.test.ts',
  'test/package/new-destination.test.ts',
  'test/package/testing.test.ts',
  'test/sandbox/page.browser.test.ts',
];
/** They judge by time what happened, and can say nothing where others keep the machine busy. */
const ALONE = ['test/chaos/storm.test.ts'];
/** So many are begun together. */
const TOGETHER = 8;

/** Runs them: all, or until `ROLLCALL_TEST_UNTIL` (seconds since 1970), after which no more are begun. */
export function long() {
  const until = Number(process.env.ROLLCALL_TEST_UNTIL ?? Infinity);
  const left = inTurn(LONG);
  while (left.length > 0) {
    if (Date.now() / 1_000 > until) {
      process.stdout.write(`no time is left for ${left.length} long tests, which other commits run:\n`);
      for (const file of left) process.stdout.write(`  ${file}\n`);
      return;
    }
    const some = left.splice(0, until === Infinity ? left.length : TOGETHER);
    const together = some.filter((file) => !ALONE.includes(file));
    if (together.length > 0) vitest(together);
    for (const file of ALONE) if (some.includes(file)) vitest([file]);
  }
}

/** Begins elsewhere for each commit, so that each comes first now and then. */
function inTurn(files) {
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' });
  const first = Number.parseInt((stdout ?? '').slice(0, 8) || '0', 16) % files.length;
  return [...files.slice(first), ...files.slice(0, first)];
}
