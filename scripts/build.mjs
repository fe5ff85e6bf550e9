// Compiles src to dist and writes the JSON Schema of rollcall.yaml beside it.
import { rmSync, writeFileSync, chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export async function build() {
  rmSync(`${root}dist`, { recursive: true, force: true });
  run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { quiet: true });
  const { configJsonSchema } = await import('../dist/config/json-schema.js');
  const { registry } = await import('../dist/destinations/registry.js');
  writeFileSync(`${root}dist/config/rollcall.schema.json`, `${JSON.stringify(configJsonSchema(registry), null, 2)}\n`);
  chmodSync(`${root}dist/cli/main.js`, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
