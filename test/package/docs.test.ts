import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { DEMO_PACKAGES } from '../../src/demo/packages.ts';
import { registry } from '../../src/destinations/registry.ts';
import { destinationsPage } from '../../scripts/destinations-page.mjs';

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

test('every test that SPEC.md names exists', () => {
  const files = new Set(read('SPEC.md').match(/\b(?:test|src)\/[\w./-]+\.test\.ts\b/g) ?? []);
  expect(files.size).toBeGreaterThan(5);
  const missing = [...files].filter((file) => {
    try {
      read(file);
      return false;
    } catch {
      return true;
    }
  });
  expect(missing).toEqual([]);
});

test('the demo asks for the very packages that are tested here', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
  expect(devDependencies).toMatchObject(DEMO_PACKAGES);
});
