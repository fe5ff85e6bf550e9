import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { ROOT } from '../../support/spawn-worker.ts';
import { type Break, BREAKS } from './breaks.ts';
import { brokenTree } from './tree.ts';

const USAGE = `usage: npm run chaos -- --sabotage [--seeds N] [--from N] [--lanes N] [name ...]

Breaks the product, one promise at a time, in a copy of this repository, and plays seeds until the chaos suite says so.
Ends with 1 unless it finds each of them.

  --seeds N   how many seeds until a break counts as not found; 16 when absent
  --from N    the first; one that has found it when absent
  --lanes N   so many at the same time; 2 when absent

${BREAKS.map(({ name, wrong }) => `  ${name.padEnd(12)}${wrong}`).join('\n')}
`;

const { values, positionals } = parseArgs({
  options: {
    sabotage: { type: 'boolean' },
    seeds: { type: 'string', default: '16' },
    from: { type: 'string' },
    lanes: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !BREAKS.some((each) => each.name === name));
if (values.help) process.stdout.write(USAGE);
else if (unknown.length > 0) {
  process.stderr.write(`There is no break called ${unknown.join(', ')}.\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  for (const each of BREAKS) {
    if (positionals.length > 0 && !positionals.includes(each.name)) continue;
    const found = await seek(each).catch((error: unknown) => ({ ok: false, words: String(error) }));
    process.stdout.write(`${each.name}: ${found.words}\n`);
    if (!found.ok) process.exitCode = 1;
  }
}

/** Plays the suite on a broken product, until it fails. */
async function seek(broken: Break): Promise<{ ok: boolean; words: string }> {
  const folder = await brokenTree(ROOT, broken);
  try {
    const compiled = await node(folder, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.chaos.json']);
    if (compiled.code !== 0) return { ok: false, words: `it does not compile: ${compiled.out}` };
    const { seeds, lanes, from = String(broken.seed) } = values;
    const options = ['--json', '--bail', '--from', from, '--seeds', seeds, '--lanes', lanes];
    const { out, errors } = await node(folder, ['.tmp/chaos/test/chaos/storm/run.js', ...options]);
    // Without a last line the suite did not come to its end, which is no finding.
    const last = out.trim().split('\n').at(-1) ?? '';
    if (!last.startsWith('{')) return { ok: false, words: `the suite did not come to its end:\n${errors}` };
    const { failed, seeds: played, seconds } = JSON.parse(last) as Told;
    const first = failed[0];
    if (first === undefined) return { ok: false, words: `NOT FOUND by ${played} seeds from ${from} (${seconds} s)` };
    return { ok: true, words: `found by seed ${first.seed}, of ${played} (${seconds} s): ${first.problems[0]}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the suite says with `--json`. */
interface Told {
  readonly seeds: number;
  readonly seconds: number;
  readonly failed: readonly { readonly seed: number; readonly problems: readonly string[] }[];
}

async function node(
  folder: string,
  args: readonly string[],
): Promise<{ code: number | null; out: string; errors: string }> {
  const child = spawn(process.execPath, [...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = once(child, 'close') as Promise<[number | null]>;
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), end]);
  return { code, out, errors };
}
