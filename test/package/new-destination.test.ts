import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const COPIED = ['src', 'test', 'bench', 'scripts', 'docs', '.oxfmtrc.json', '.oxlintrc.json', 'knip.json'];
const SETTINGS = ['package.json', 'tsconfig.json', 'vitest.config.ts'];

/** A copy of the repository: a folder that comes and goes below src/destinations would disturb other tests. */
let copy = '';

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'rollcall-new-destination-'));
  for (const name of [...COPIED, ...SETTINGS]) await cp(join(ROOT, name), join(copy, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});

afterAll(() => rm(copy, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ended(program: string, ...args: readonly string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await run(program, args, { cwd: copy, maxBuffer: 50_000_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

async function newDestination(...args: readonly string[]): Promise<Ended> {
  const script = `import('./scripts/new-destination.mjs').then((m) => m.newDestination(${JSON.stringify(args)}))`;
  return await ended(process.execPath, '--input-type=module', '--eval', script);
}

async function tool(name: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ended(join(copy, 'node_modules', '.bin', name), ...args);
  return code === 0 ? '' : `${stdout}${stderr}`;
}

test.each([
  [[], /Name the destination/],
  [['one', 'two'], /one destination at a time/],
  [['Upper'], /is no id/],
  [['under_score'], /is no id/],
  [['9lives'], /is no id/],
  [['../up'], /is no id/],
  [['a--b'], /is no id/],
  [['x'.repeat(41)], /is no id/],
  [['type'], /means something else/],
  [['constructor'], /means something else/],
  [['mailtrap'], /is there already/],
])('%j is refused, and nothing is made', async (args, says) => {
  const before = await readdir(join(copy, 'src', 'destinations'));
  const { code, stdout, stderr } = await newDestination(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
  expect(await readdir(join(copy, 'src', 'destinations'))).toEqual(before);
});

describe('a fresh folder', () => {
  const folder = 'src/destinations/two-words';

  beforeAll(async () => {
    const { code, stdout } = await newDestination('two-words');
    expect(code).toBe(0);
    expect(stdout).toContain(`npx vitest run ${folder}`);
  });

  test('names its vendor everywhere', async () => {
    for (const entry of await readdir(join(copy, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(await readFile(join(entry.parentPath, entry.name), 'utf8')).not.toMatch(/acme/i);
    }
    expect(await readFile(join(copy, folder, 'config.ts'), 'utf8')).toContain("secretText('TWO_WORDS_API_KEY'");
  });

  test('has clean types, lint and format, and no dead code', async () => {
    const own = { extends: './tsconfig.json', include: [folder] };
    await writeFile(join(copy, 'tsconfig.own.json'), JSON.stringify(own));
    expect(await tool('tsc', '-p', 'tsconfig.own.json')).toBe('');
    expect(await tool('oxlint', '--deny-warnings', folder)).toBe('');
    expect(await tool('oxfmt', '--check', folder)).toBe('');
    // Nothing is built here, so what package.json names is not there.
    expect(await tool('knip', '--exclude', 'unresolved', '--no-config-hints')).toBe('');
  });

  test('is found by the registry; fails for what is not written yet, and each failure says what to write', async () => {
    const vitest = join(copy, 'node_modules', '.bin', 'vitest');
    const files = [folder, 'src/destinations/registry.test.ts', 'src/sandbox'];
    await ended(vitest, 'run', ...files, '--reporter=json', '--outputFile=out.json');
    const { testResults } = JSON.parse(await readFile(join(copy, 'out.json'), 'utf8')) as Report;
    const suite = testResults.find(({ name }) => name.endsWith('conformance.test.ts'))?.assertionResults ?? [];
    const failed = suite.filter(({ status }) => status === 'failed');
    expect(failed.length).toBeGreaterThan(30);
    for (const { title, failureMessages } of failed) {
      expect(failureMessages.join(), title).toMatch(/^AssertionError[\s\S]*\nWhat to write: /);
    }
    const messageOf = (title: string): string | undefined =>
      failed.find((each) => each.title.startsWith(title))?.failureMessages[0];
    expect(messageOf('upsert: a new contact')).toContain('`encode` gives at least one operation for it');
    // What needs nothing but the template goes well.
    const passed = suite.filter(({ status }) => status === 'passed').map(({ title }) => title);
    expect(passed).toContain('probe: the right key is accepted, and a wrong one is not');
    const fixtures = testResults.find(({ name }) => name.endsWith('fixtures.test.ts'))?.assertionResults ?? [];
    expect(fixtures.map(({ status }) => status)).toContain('failed');
    // No other test changes.
    const others = testResults.filter(({ name }) => !name.includes(folder));
    expect(others.some(({ name }) => name.endsWith('registry.test.ts'))).toBe(true);
    expect(
      others.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === 'failed'),
    ).toEqual([]);
  });
});

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
