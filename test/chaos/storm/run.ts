import { parseArgs } from 'node:util';
import { playUntilTold, type Verdict } from './play.ts';
import { showPlan } from './plan.ts';
import { openStage } from './stage.ts';

const USAGE = `usage: npm run chaos -- [--seeds N] [--from N] [--seed N] [--keep] [--bail] [--lanes N] [--json]

Three workers, four destinations behind a proxy that fails, and faults of every kind, drawn from a seed. Judged once it is quiet.

  --seeds N   how many seeds; 20 when absent
  --from N    the first; 1 when absent
  --seed N    this one alone
  --keep      writes the evidence of a seed that failed to .tmp/chaos-seed-N.json
  --bail      ends at the first seed that fails
  --lanes N   so many at the same time, each with a Postgres of its own; 2 when absent
  --json      one line of JSON at the end, on standard output

  npm run chaos -- --seeds 200
  npm run chaos -- --sabotage --help   whether it finds a broken product
  npm run chaos -- --seed 17 --keep
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
    bail: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const lanes = Math.min(Number(values.lanes), count);
if (values.help) {
  process.stdout.write(USAGE);
} else if (
  !Number.isInteger(first) ||
  !Number.isInteger(count) ||
  !Number.isInteger(lanes) ||
  count < 1 ||
  lanes < 1 ||
  first < 0
) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = (await runSeeds(first, count)) === 0 ? 0 : 1;
}

async function runSeeds(from: number, seeds: number): Promise<number> {
  const out = values.json ? process.stderr : process.stdout;
  const failed: Pick<Verdict, 'seed' | 'problems'>[] = [];
  const begunAt = performance.now();
  let next = from;
  let played = 0;
  let requests = 0;
  const lane = async (n: number): Promise<void> => {
    const stage = await openStage();
    try {
      if (n === 0 && typeof stage.disk === 'string') out.write(`The disk is never full in this run: ${stage.disk}.\n`);
      while (next < from + seeds && !(values.bail && failed.length > 0)) {
        const seed = next++;
        const verdict = await playUntilTold(stage, seed, (why) => {
          out.write(`seed ${seed}: again, as the machine was too slow (${why})\n`);
        });
        if (verdict.void !== undefined) {
          out.write(`seed ${seed}: says nothing, as the machine was too slow (${verdict.void})\n`);
          continue;
        }
        played += 1;
        requests += verdict.evidence.exchanges.length;
        out.write(`${lineOf(verdict)}\n`);
        if (verdict.problems.length === 0) continue;
        failed.push({ seed: verdict.seed, problems: verdict.problems });
        out.write(`${await failure(verdict)}\n`);
      }
    } finally {
      await stage.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n)));
  const seconds = Math.round((performance.now() - begunAt) / 1_000);
  out.write(`${played} seeds, ${failed.length} failed, ${requests} requests, ${seconds} s\n`);
  if (values.json) process.stdout.write(`${JSON.stringify({ from, seeds: played, failed, requests, seconds })}\n`);
  return failed.length;
}

function lineOf({ seed, problems, evidence, seconds, quietMs }: Verdict): string {
  const { exchanges, outages, absences, history, plan } = evidence;
  const told = [
    `${exchanges.length} requests`,
    `${exchanges.filter(({ fate }) => fate.do !== 'pass').length} spoilt`,
    `${history.events.length} events`,
    `${absences.length} absences`,
    ...outages.map(({ what }) => what),
    ...(plan.setup.skewMs.some((ms) => ms !== 0) ? ['skew'] : []),
    ...(plan.setup.together > 0 ? ['bulk'] : []),
    ...(plan.setup.moving ? ['moving'] : []),
  ];
  const result = problems.length === 0 ? 'ok' : 'FAILED';
  return `seed ${seed}: ${result} in ${seconds.toFixed(1)} s, quiet after ${(quietMs / 1_000).toFixed(1)} s (${told.join(', ')})`;
}

async function failure({ seed, problems, evidence }: Verdict): Promise<string> {
  const lines = problems.slice(0, 20).map((problem) => `  ${problem}`);
  if (problems.length > 20) lines.push(`  and ${problems.length - 20} more`);
  if (values.keep) {
    const { writeFile } = await import('node:fs/promises');
    const file = `.tmp/chaos-seed-${seed}.json`;
    await writeFile(
      file,
      JSON.stringify({
        ...evidence,
        problems,
        numbers: [...evidence.numbers],
        owners: [...evidence.owners],
        answered: [...evidence.answered],
        ends: [...evidence.ends],
        fullTurns: [...evidence.fullTurns],
      }),
    );
    lines.push(`  the evidence is in ${file}`);
  }
  return `${lines.join('\n')}\n${showPlan(evidence.plan)}\nagain: npm run chaos -- --seed ${seed} --keep`;
}
