import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { registry } from './registry.ts';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe('registry', () => {
  test('holds every folder once, under the folder’s name', () => {
    expect(registry.map(({ id }) => id).toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  test.each(folders.map(({ name }) => name))('%s has fixtures and a README', (name) => {
    expect(existsSync(new URL(`${name}/README.md`, here))).toBe(true);
    expect(readdirSync(new URL(`${name}/fixtures/`, here)).length).toBeGreaterThan(0);
  });
});
