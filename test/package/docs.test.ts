import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { DEMO_PACKAGES } from '../../src/demo/packages.ts';
import { TABLES } from '../../src/core/states/tables.ts';
import { registry } from '../../src/destinations/registry.ts';
import { destinationsPage } from '../../scripts/destinations-page.mjs';
import { withStates } from '../../scripts/states-page.mjs';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => read(join('src', path)));
}

test('every error code is explained in docs/errors.md, and every code there exists', () => {
  const used = new Set(sources().flatMap((text) => text.match(/(?<=['"`])RC_[A-Z_]+(?=['"`])/g) ?? []));
  const explained = new Set(read('docs/errors.md').match(/\bRC_[A-Z_]+\b/g) ?? []);
  expect([...used].filter((code) => !explained.has(code))).toEqual([]);
  expect([...explained].filter((code) => !used.has(code))).toEqual([]);
});

test("the README's example config loads without a warning", () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
  const env = {
    DATABASE_URL: 'postgresql://postgres:secret@db.abcdefghij.supabase.co/postgres',
    MAILTRAP_TOKEN: 'token',
  };
  const config = parseConfig(yaml, { file: 'rollcall.yaml', env, registry });
  expect(config.warnings).toEqual([]);
  expect(config.destinations.map((d) => d.type)).toEqual(['mailtrap']);
  expect(config.userMapping.attributes.map((a) => a.name)).toContain('COHORT');
});

test('docs/destinations.md is what `npm run docs` makes of the registry, without drafts', () => {
  expect(read('docs/destinations.md')).toBe(destinationsPage(registry));
  const [first] = registry;
  const drafted = { ...first!, id: 'drafted', name: 'Drafted', draft: true };
  expect(destinationsPage([...registry, drafted])).toBe(destinationsPage(registry));
  expect(destinationsPage([...registry, { ...drafted, draft: false }])).toContain('## Drafted');
});

const spec = read('SPEC.md');

/** The text below a heading of SPEC.md. */
function section(heading: string): string {
  const [, text] = new RegExp(`^## ${heading}\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(spec) ?? [];
  expect(text, heading).toBeDefined();
  return text!;
}

/** The rows of its only table, as cells. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const lines = section(heading)
    .split('\n')
    .filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

const testsIn = (text: string): readonly string[] => text.match(/\b(?:test|src)\/[\w./-]+\.test\.ts\b/g) ?? [];

test('the tables of states in SPEC.md are what `npm run docs` makes of the code', () => {
  expect(withStates(spec, TABLES)).toBe(spec);
  expect(() => withStates(spec, { nowhere: TABLES.events })).toThrow('SPEC.md has no place for nowhere');
});

test('every test that SPEC.md names exists', () => {
  const files = new Set(testsIn(spec));
  expect(files.size).toBeGreaterThan(50);
  expect([...files].filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every invariant and every bound of a loop names its test', () => {
  const invariants = section('Invariants')
    .split(/^(?=\d+\. )/m)
    .slice(1);
  expect(invariants.length).toBeGreaterThan(20);
  expect(invariants.map((text) => Number.parseInt(text, 10))).toEqual(invariants.map((_, n) => n + 1));
  expect(invariants.filter((text) => testsIn(text).length === 0)).toEqual([]);
  const loops = rowsOf('Loops that send again, and what bounds them');
  expect(loops.length).toBeGreaterThan(10);
  expect(loops.filter((cells) => testsIn(cells.join(' ')).length === 0)).toEqual([]);
});

test('every trap has its test, by name', () => {
  const traps = rowsOf('Traps, and the tests that hold them');
  expect(traps.length).toBeGreaterThan(25);
  // A line of its file has it in quotes: as the title, as a part of one, or as the name of a case that the title takes in.
  const titled = ([, file, title]: readonly string[]): boolean =>
    read(file!.replaceAll('`', ''))
      .split('\n')
      .some((line) => /['"`]/.test(line.split(title!)[0]!) && line.includes(title!));
  expect(traps.filter((trap) => !titled(trap))).toEqual([]);
});

test('every promise of the design is an invariant here, or is said to be kept by a later version', () => {
  const promises = rowsOf('Promises');
  expect(promises.map(([n]) => Number(n))).toEqual(promises.map((_, n) => n + 1));
  expect(promises).toHaveLength(12);
  const kept = promises.filter(([, , by]) => !by!.startsWith('not yet'));
  const numbers = kept.flatMap(([, , by]) => by!.match(/\d+/g) ?? []).map(Number);
  expect(kept.filter(([, , by]) => !/\d/.test(by!))).toEqual([]);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(section('Invariants').match(/^\d+\. /gm)!.length);
});

test('the demo asks for the very packages that are tested here', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
  expect(devDependencies).toMatchObject(DEMO_PACKAGES);
});
