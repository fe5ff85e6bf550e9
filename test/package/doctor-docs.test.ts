import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/doctor.md');

/** Rows of the table below a heading, as cells. */
function rows(heading: string): readonly (readonly string[])[] {
  const [, text = ''] = page.split(`## ${heading}\n`);
  const lines = text
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const tested = ['test/cli/doctor.test.ts', 'src/cli/doctor/judge.test.ts'].map(read).join('\n');

/** Made by code that other commands share: their own tests hold them. */
const SHARED = new Set(['RC_TABLE_ROW_SECURITY', 'RC_DATABASE_LOGIN']);

test('every row of the recipes that stands in docs/doctor.md is found by a code that a test of the doctor raises', () => {
  const found = rows("From the recipes' pages");
  expect(found.filter(([recipe]) => recipe === 'Sendry')).toHaveLength(5);
  expect(found.filter(([recipe]) => recipe === 'Tajo')).toHaveLength(5);
  for (const [recipe, row, codes = ''] of found) {
    const all = codes.match(/RC_[A-Z_]+/g) ?? [];
    expect([recipe, row, all.length > 0]).toEqual([recipe, row, true]);
    expect([row, all.filter((code) => !SHARED.has(code) && !tested.includes(`'${code}'`))]).toEqual([row, []]);
  }
});

test('every code of the doctor is raised in a test of it', () => {
  const folder = 'src/cli/doctor';
  const files = readdirSync(join(root, folder)).filter((file) => !file.endsWith('.test.ts'));
  const codes = new Set(files.flatMap((file) => read(join(folder, file)).match(/(?<=')RC_[A-Z_]+(?=')/g) ?? []));
  expect(codes.size).toBeGreaterThan(40);
  expect([...codes].filter((code) => !tested.includes(`'${code}'`))).toEqual([]);
});

test('every area that is looked at is on the page', () => {
  const source = read('src/cli/doctor/examine.ts');
  const checks = [...source.matchAll(/from '\.\/(check-[\w-]+\.ts)'/g)].map(([, file]) =>
    read(`src/cli/doctor/${file}`),
  );
  const areas = checks.map((text) => /area: '([^']+)'/.exec(text)?.[1] ?? '');
  expect(areas.length).toBeGreaterThan(12);
  const [table = ''] = page.split("## From the recipes' pages");
  expect(areas.filter((area) => !table.includes(area))).toEqual([]);
});
