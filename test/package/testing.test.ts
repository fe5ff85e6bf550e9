import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

let folder = '';
let project = '';

// A project of somebody else: the package as npm packs it, its dependencies, and a destination of their own.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-foreign-'));
  const source = join(folder, 'source');
  project = join(folder, 'project');
  await mkdir(join(project, 'node_modules', 'rollcall'), { recursive: true });
  await mkdir(source);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'docs']) {
    await cp(join(ROOT, name), join(source, name), { recursive: true });
  }
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [
    tsc,
    '-p',
    join(ROOT, 'tsconfig.build.json'),
    '--noCheck',
    '--outDir',
    join(source, 'dist'),
  ]);
  const packing = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await run(npm, packing, { cwd: source, maxBuffer: 10_000_000 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const into = join(project, 'node_modules', 'rollcall');
  await run('tar', ['-xzf', join(folder, filename), '-C', into, '--strip-components=1']);
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name !== 'rollcall') await symlink(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
  }
  await cp(join(import.meta.dirname, 'foreign'), project, { recursive: true });
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function tested(env: NodeJS.ProcessEnv): Promise<{ readonly code: number; readonly stdout: string }> {
  const args = ['--test', '--test-reporter=tap', 'conformance.test.mjs'];
  try {
    const { stdout } = await run(process.execPath, args, { cwd: project, env: { PATH: process.env['PATH'], ...env } });
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}

test('a destination outside of this repository passes the packed suite, with a runner of its own', async () => {
  const { code, stdout } = await tested({});
  expect(stdout.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([]);
  expect(code).toBe(0);
  expect(stdout.match(/^ok /gm)?.length).toBeGreaterThan(40);
});

test('and one with a mistake fails, and is told what to write', async () => {
  const { code, stdout } = await tested({ FORGETFUL: 'yes' });
  expect(code).not.toBe(0);
  expect(stdout).toMatch(/^not ok \d+ - upsert: null clears an attribute and leaves the others/m);
  expect(stdout).toContain('This must hold: NOTE is cleared.');
  expect(stdout).toContain(
    'What to write: `encode` turns an attribute that is null into what clears it at the vendor.',
  );
});

describe('the library', () => {
  const sdk = (): string => join(project, 'sdk');

  test('compiles with the types of a project for ES modules and CommonJS, and each mistake is one', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const ran = run(process.execPath, [tsc, '-p', sdk(), '--pretty', 'false'], { cwd: sdk() });
    const stdout = await ran.then(
      () => '',
      (error: unknown) => (error as { stdout: string }).stdout,
    );
    const places = Array.from(stdout.matchAll(/^(\S+?)\((\d+),/gm), ([, file = '', line]) => `${file}:${line}`);
    // What is wrong in the types of others is not ours.
    const found = new Set(places.filter((place) => !/node_modules\/(?!rollcall\/)/.test(place)));
    const lines = (await readFile(join(sdk(), 'wrong.ts'), 'utf8')).split('\n');
    const wrong = lines.flatMap((line, n) => (line.endsWith('// wrong') ? [`wrong.ts:${n + 1}`] : []));
    expect(wrong.length).toBeGreaterThan(10);
    expect([...found].toSorted(), stdout).toEqual(wrong.toSorted());
  }, 60_000);

  const SENT = [expect.stringMatching(/^POST \/v3\/events .*"total":9007199254740993/)];

  test.each([
    ['ES modules', () => run(process.execPath, ['use.mjs'], { cwd: sdk() })],
    ['CommonJS', () => run(process.execPath, ['use.cjs'], { cwd: sdk() })],
    ['Deno', () => deno('use.deno.ts')],
  ])(
    '%s: sends through a fetch of the app, and hands a client through',
    async (_name, running) => {
      const { stdout, stderr } = await running();
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ sent: SENT, code: 'RC_NOT_CONNECTED, then function' });
    },
    60_000,
  );

  test('where supabase-js is not installed it says so, and all else works', async () => {
    const peer = join(project, 'node_modules', '@supabase');
    await rename(peer, `${peer}-away`);
    try {
      const { stdout } = await run(process.execPath, ['use.mjs'], { cwd: sdk() });
      expect(JSON.parse(stdout)).toEqual({ sent: SENT, code: 'RC_NOT_CONNECTED, then RC_SUPABASE_JS' });
    } finally {
      await rename(`${peer}-away`, peer);
    }
  }, 60_000);

  function deno(file: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const flags = ['--no-prompt', '--cached-only', '--node-modules-dir=manual', '--allow-all'];
    const env = { PATH: process.env['PATH'], DENO_DIR: join(folder, 'deno'), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' };
    return run(join(ROOT, 'node_modules', '.bin', 'deno'), ['run', ...flags, file], { cwd: sdk(), env });
  }
});
