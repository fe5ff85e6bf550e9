// Keeps what `rollcall apply --sql` prints in a version, so that upgrades from it are tested for ever:
//   npm run build && node scripts/record-install.mjs [folder of another built checkout]
// test/fixtures/installs.json.br has one entry for each, by the newest migration in it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import pg from 'pg';

const root = fileURLToPath(new URL('..', import.meta.url));
const from = resolve(process.argv[2] ?? root);
const fixture = join(root, 'test', 'fixtures', 'installs.json.br');

/** Keys that every version takes. The test installs the present version with the same. */
const config = readFileSync(join(root, 'test', 'fixtures', 'installs.yaml'), 'utf8');
const [, authSchema] = /AUTH_SCHEMA = \/\* sql \*\/ `\n([\s\S]*?)`;/.exec(
  readFileSync(join(root, 'test', 'support', 'auth-schema.ts'), 'utf8'),
);

const script = await printed();
const version = Math.max(
  ...[...script.matchAll(/from rollcall\.migrations where version = (\d+)/g)].map(([, n]) => Number(n)),
);
const kept = existsSync(fixture) ? JSON.parse(brotliDecompressSync(readFileSync(fixture)).toString()) : {};
const text = JSON.stringify({ ...kept, [version]: script });
// A window as large as the whole: one version is much like the next.
const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
writeFileSync(fixture, brotliCompressSync(text, { params }));
process.stdout.write(`version ${version}: ${script.length} characters\n`);

async function printed() {
  const { startCluster } = await import(join(root, 'dist', 'demo', 'cluster.js'));
  const cluster = await startCluster({});
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-record-'));
  try {
    const client = new pg.Client({ connectionString: cluster.url('postgres') });
    await client.connect();
    await client.query(authSchema);
    await client.end();
    const file = join(folder, 'rollcall.yaml');
    writeFileSync(file, config);
    const env = { ...process.env, DATABASE_URL: cluster.url('postgres') };
    const main = join(from, 'dist', 'cli', 'main.js');
    return execFileSync('node', [main, 'apply', '--sql', '--config', file], { env, encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
    await cluster.destroy();
  }
}
