import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { registry } from '../../src/destinations/registry.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');

/** The config of all of them. */
export function earlierConfig(): Config {
  const text = readFileSync(join(fixtures, 'installs.yaml'), 'utf8');
  return parseConfig(text, { file: 'rollcall.yaml', env: {}, registry });
}

/** What `apply --sql` printed in earlier versions, by the newest migration in it: see scripts/record-install.mjs. */
export function earlierInstalls(): Readonly<Record<string, string>> {
  const text = brotliDecompressSync(readFileSync(join(fixtures, 'installs.json.br'))).toString();
  return JSON.parse(text) as Record<string, string>;
}
