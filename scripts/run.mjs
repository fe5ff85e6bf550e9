// The commands of package.json. Each does its own set-up, so that all work from a bare clone.
import { existsSync, statSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, run } from './install.mjs';
import { lanes } from './lanes.mjs';
import { LONG, long } from './long.mjs';
import { newDestination } from './new-destination.mjs';
import { vitest } from './vitest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [task, ...args] = process.argv.slice(2);

const tasks = {
  async demo() {
    await buildIfStale();
    run(process.execPath, ['dist/cli/main.js', 'demo', ...args]);
  },
  async rollcall() {
    await buildIfStale();
    run(process.execPath, ['dist/cli/main.js', ...args]);
  },
  async test() {
    await buildIfStale();
    if (args.length > 0) return vitest(args);
    vitest(LONG.flatMap((file) => ['--exclude', file]));
    lanes();
    long();
  },
  async bench() {
    run('node_modules/.bin/tsc', ['-p', 'tsconfig.bench.json'], { quiet: true });
    run(process.execPath, ['.tmp/bench/bench/main.js', ...args]);
  },
  async soak() {
    run('node_modules/.bin/tsc', ['-p', 'tsconfig.bench.json'], { quiet: true });
    run(process.execPath, ['.tmp/bench/bench/soak/main.js', ...args]);
  },
  async chaos() {
    run('node_modules/.bin/tsc', ['-p', 'tsconfig.chaos.json'], { quiet: true });
    const suite = args.includes('--sabotage') ? 'sabotage' : 'storm';
    run(process.execPath, [`.tmp/chaos/test/chaos/${suite}/run.js`, ...args]);
  },
  async docs() {
    await buildIfStale();
    const { writeDocs } = await import('./docs.mjs');
    await writeDocs();
  },
  'new:destination': () => newDestination(args),
  async check() {
    run('node_modules/.bin/tsc', ['-p', 'tsconfig.json']);
    run('node_modules/.bin/oxlint', ['--deny-warnings']);
    run('node_modules/.bin/oxfmt', ['--check', '.']);
    await buildIfStale();
    run('node_modules/.bin/knip', []);
    run('node_modules/.bin/publint', ['--strict']);
    // It packs what was just built: `prepack` would build it again.
    const env = { npm_config_ignore_scripts: 'true' };
    run('node_modules/.bin/attw', ['--pack', '.', '--profile', 'esm-only', '--quiet'], { env });
  },
};

async function buildIfStale() {
  const built = join(root, 'dist/config/rollcall.schema.json');
  if (existsSync(built) && newest(join(root, 'src')) < statSync(built).mtimeMs) return;
  const { build } = await import('./build.mjs');
  await build();
}

function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

const chosen = tasks[task];
if (chosen === undefined) {
  process.stderr.write(`usage: node scripts/run.mjs ${Object.keys(tasks).join(' | ')}\n`);
  process.exit(2);
}
install();
await chosen();
