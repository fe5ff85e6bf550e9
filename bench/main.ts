import { parseArgs } from 'node:util';
import { api } from './api.ts';
import { backfill } from './backfill.ts';
import { capture } from './capture.ts';
import { destinations } from './destinations.ts';
import { disaster } from './disaster/disaster.ts';
import { fold } from './fold.ts';
import { hygiene } from './hygiene/hygiene.ts';
import { homes } from './homes/homes.ts';
import { idle } from './idle.ts';
import { live } from './live.ts';
import { snapshot } from './hygiene/held-snapshot.ts';
import { plan } from './plan.ts';
import { pipeline } from './pipeline.ts';
import { sweep } from './sweep.ts';
import { wal } from './wal.ts';
import { why } from './why.ts';
import { printTable, type Measured } from './table.ts';

/** A bench measures and compares within one run: machines are noisy, ratios less so. */
const BENCHES: Readonly<
  Record<string, (options: { users: number; changes: number; home: string }) => Promise<readonly Measured[]>>
> = {
  api,
  backfill,
  capture,
  destinations,
  disaster,
  fold,
  homes,
  hygiene,
  idle,
  live,
  pipeline,
  plan,
  snapshot,
  sweep,
  wal,
  why,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    users: { type: 'string', default: '20000' },
    changes: { type: 'string', default: '10000000' },
    home: { type: 'string', default: 'worker' },
  },
});
const [name = ''] = positionals;
const bench = BENCHES[name];
const users = Number(values.users);
const changes = Number(values.changes);
if (bench === undefined || ![users, changes].every((n) => Number.isInteger(n) && n >= 100)) {
  process.stderr.write(
    `usage: npm run bench -- ${Object.keys(BENCHES).join(' | ')} [--users N] [--changes N] [--home worker | edge | sql] [--json]\n`,
  );
  process.exit(2);
}
const measured = await bench({ users, changes, home: values.home });
printTable(measured, values.json ? process.stderr : process.stdout);
if (values.json) process.stdout.write(`${JSON.stringify({ bench: name, users, results: measured })}\n`);
if (measured.some(({ kept }) => kept === false)) process.exitCode = 1;
