import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { plot } from './plot.ts';
import { SERIES, tableSeries, type Sample, type Series } from './sample.ts';
import { soak } from './soak.ts';
import { judge, stretches, type Verdict } from './verdict.ts';

const HELP = `usage: npm run soak -- [--minutes 20] [--people 20000] [--sign-ups 100] [--json]

Two workers under a steady load: so many sign-ups a second and as many who leave, as many edits, half as many events,
over a population that stays constant. Each minute: 500s, cut connections, slow answers, a worker killed and another
started, a sweep; every three minutes a backfill. Every 5 s memory, size of the tables, connections, latency and what
waits are looked at.

Flat: the median of the last third is at most a little above that of the first third, after a warm-up of a fifth
(bench/soak/verdict.ts; how much is a little stands in bench/soak/sample.ts). Ends with 1 if anything is not flat, or if
anybody is not in step in the end.

  --minutes N    how long, at least 1; 20 when absent
  --people N     the population; 20000 when absent
  --sign-ups N   a second; 100 when absent
  --json         one line of JSON last
  --help         this

Writes .tmp/soak/soak.svg, the picture, and .tmp/soak/samples.json, what it shows.
`;
const STRETCH_S = 300;
/** Tables that ever had so many MB are shown and judged by themselves. */
const LARGE_MB = 2;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    people: { type: 'string', default: '20000' },
    'sign-ups': { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [minutes, people, signUps] = [values.minutes, values.people, values['sign-ups']].map(Number) as [
  number,
  number,
  number,
];
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (!(minutes >= 1) || ![people, signUps].every((n) => Number.isInteger(n) && n > 0)) {
  process.stderr.write(HELP);
  process.exit(2);
}
const run = await soak(minutes, people, { signUps, edits: signUps, orders: signUps / 2 });
const series = seriesOf(run.samples);
const verdicts = series.map((each) => judge(run.samples, each));
const folder = join('.tmp', 'soak');
await mkdir(folder, { recursive: true });
const title = `Soak: ${minutes} min, ${people} people, ${signUps} sign-ups a second, two workers`;
await writeFile(join(folder, 'soak.svg'), plot(title, run.samples, series, run.marks));
await writeFile(join(folder, 'samples.json'), JSON.stringify(run));
const out = values.json ? process.stderr : process.stdout;
for (const row of table(run.samples, verdicts)) out.write(`${row}\n`);
const uneven = verdicts.filter(({ flat }) => flat === false).map(({ series: { name } }) => name);
const passed = uneven.length === 0 && run.wrong === 0 && run.dead === 0;
out.write(`
${run.signUps} sign-ups; in the end ${run.wrong} not in step, ${run.dead} dead letters
${join(folder, 'soak.svg')}
${uneven.length === 0 ? 'everything is flat' : `not flat: ${uneven.join(', ')}`}
`);
if (values.json) {
  const medians = verdicts.map((v) => ({
    name: v.series.name,
    unit: v.series.unit,
    first: v.first,
    last: v.last,
    flat: v.flat,
  }));
  const { signUps: made, wrong, dead } = run;
  process.stdout.write(
    `${JSON.stringify({ soak: { minutes, people, signUps: made, wrong, dead, passed }, series: medians })}\n`,
  );
}
process.exitCode = passed ? 0 : 1;

function seriesOf(samples: readonly Sample[]): readonly Series[] {
  const known = new Set(SERIES.map(({ name }) => name));
  const most = new Map<string, number>();
  for (const { values: seen } of samples) {
    for (const [name, value] of Object.entries(seen)) most.set(name, Math.max(most.get(name) ?? 0, value));
  }
  const tables = [...most].filter(([name, mb]) => !known.has(name) && mb >= LARGE_MB).toSorted(([, a], [, b]) => b - a);
  return [...SERIES, ...tables.map(([name]) => tableSeries(name))];
}

/** Medians of five minutes each, of the first and the last third, and what is made of them. */
function table(samples: readonly Sample[], all: readonly Verdict[]): readonly string[] {
  const rows = all.map(({ series: { name, unit }, first, last, flat }) => [
    `${name}${unit === '' ? '' : `, ${unit}`}`,
    ...stretches(samples, name, STRETCH_S).map(short),
    short(first),
    short(last),
    flat === undefined ? '' : flat ? 'flat' : 'NOT FLAT',
  ]);
  const most = Math.max(...rows.map((row) => row.length));
  const head = [
    'medians',
    ...Array.from({ length: most - 4 }, (_, n) => `${n * 5}-${n * 5 + 5} min`),
    'first third',
    'last third',
    '',
  ];
  const widths = head.map((cell, n) => Math.max(cell.length, ...rows.map((row) => row[n]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join('  '),
  );
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
