import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { openDatabase } from '../../../src/sql/open-database.ts';
import { onCleanup } from '../../support/database.ts';
import { createOwnDatabase, type OwnDatabase } from '../../support/own-cluster.ts';
import { eventually } from '../../support/people.ts';
import { createWorld, parseWorld } from '../../support/world.ts';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const AUTHORITY = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
] as const;

async function authority(name: string): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [...AUTHORITY],
  });
  return { cert: made.cert, key: made.private };
}

async function signed(
  ca: Certificate,
  altName: { type: 2; value: string } | { type: 7; ip: string },
): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'server' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [altName] }],
    ca,
  });
  return { cert: made.cert, key: made.private };
}

/** Gives the server its certificate; new connections then use it. */
async function serve(db: OwnDatabase, certificate: Certificate): Promise<void> {
  const { uid, gid } = await stat(db.cluster.directory);
  for (const [name, text] of [
    ['server.crt', certificate.cert],
    ['server.key', certificate.key],
  ] as const) {
    const file = join(db.cluster.directory, name);
    await writeFile(file, text, { mode: 0o600 });
    if (process.getuid?.() === 0) await chown(file, uid, gid);
  }
  await db.app.query('alter system set ssl = on');
  const { rows } = await db.app.query<{ at: string }>('select pg_conf_load_time()::text as at');
  await db.app.query('select pg_reload_conf()');
  await eventually(async () => {
    const found = await db.app.query<{ at: string; ssl: string }>(
      `select pg_conf_load_time()::text as at, current_setting('ssl') as ssl`,
    );
    return found.rows[0]?.at !== rows[0]?.at && found.rows[0]?.ssl === 'on';
  });
}

async function open(config: Config): Promise<void> {
  const sql = await openDatabase(config);
  await sql.close();
}

test('the server’s certificate and its name are verified, whatever sslmode says', async () => {
  const db = await createOwnDatabase();
  const [ca, other] = await Promise.all([authority('Rollcall test authority'), authority('another authority')]);
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-tls-'));
  onCleanup(() => rm(folder, { recursive: true, force: true }));
  const files = { right: join(folder, 'right.crt'), wrong: join(folder, 'wrong.crt') };
  await writeFile(files.right, ca.cert);
  await writeFile(files.wrong, other.cert);
  await serve(db, await signed(ca, { type: 7, ip: '127.0.0.1' }));

  const world = await createWorld({ db, more: `ssl_root_cert: ${JSON.stringify(files.right)}` });
  const worker = await world.start();
  await world.signUp('ann@example.com', { full_name: 'Ann' });
  await world.settled();
  expect(world.sandbox.state.contactCount).toBe(1);
  const { rows } = await db.app.query(
    `select ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'hosted' and query ilike 'listen %'`,
  );
  expect(rows).toEqual([{ ssl: true }]);
  await worker.stop();

  const refused = { code: 'RC_DATABASE_TLS' };
  await open(world.config);
  await expect(open(parseWorld(world.yaml.replace(files.right, files.wrong)))).rejects.toMatchObject(refused);
  // Not verified by anybody: sslmode=require, which elsewhere means "encrypt, trust anyone", is no way around it.
  const url = JSON.stringify(world.config.databaseUrl);
  for (const mode of ['require', 'prefer', 'no-verify', 'verify-ca']) {
    const yaml = world.yaml
      .replace(url, JSON.stringify(`${world.config.databaseUrl}?sslmode=${mode}`))
      .replace(/^ssl_root_cert.*$/m, '');
    await expect(open(parseWorld(yaml)), mode).rejects.toMatchObject(refused);
  }

  await serve(db, await signed(ca, { type: 2, value: 'db.example.com' }));
  await expect(open(world.config)).rejects.toMatchObject(refused);
  const failure = (await open(world.config).catch((error: unknown) => error)) as Error;
  expect(failure.message).not.toContain('postgres:');
});
