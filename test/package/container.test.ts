import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { build, type Running, start } from '../cli/built.ts';
import { configText } from '../cli/run-cli.ts';
import { createDatabase, onCleanup } from '../support/database.ts';
import { readImage } from '../support/image.ts';
import { startSandbox } from '../support/mailtrap-sandbox.ts';

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const image = readImage(ROOT);

/** The folder of the image: nobody may write below it, and the worker is not its owner where that can be had. */
let folder = '';
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-image-'));
  const app = join(folder, 'app');
  await mkdir(app);
  for (const file of ['package.json', 'package-lock.json']) await cp(join(ROOT, file), join(app, file));
  const [built] = await Promise.all([
    build(),
    exec('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: app }),
  ]);
  await rename(join(built.main, '..', '..'), join(app, 'dist'));
  await built.remove();
  await mkdir(join(folder, 'config'));
});

afterAll(async () => {
  await exec('chmod', ['-R', 'u+w', folder]);
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command as a container of the image would: its user, its environment and nothing of ours. */
function contain(command: readonly string[], env: Readonly<Record<string, string>>): Running {
  const [program, ...args] = command.map((word) => word.replace('/app/', `${join(folder, 'app')}/`));
  expect(program).toBe('node');
  const nowhere = { HOME: '/nonexistent', TMPDIR: '/nonexistent' };
  return start(
    process.execPath,
    args,
    { ...image.env, ...nowhere, ...env },
    { cwd: join(folder, 'config'), ...nobody },
  );
}

test('the Dockerfile has nothing that its linter finds, and what it runs is no superuser', () => {
  expect(validate(read('Dockerfile'))).toEqual([]);
  expect(image).toMatchObject({ user: 'node', workdir: '/config', env: { NODE_ENV: 'production' } });
});

test('the build is sent what it copies, and nothing else that lies in the folder', () => {
  const [first, ...rules] = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  const letIn = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  expect(letIn.toSorted()).toEqual([...image.copied].toSorted());
  expect(image.copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('compose.yaml runs what the image runs, in the network of a self-hosted Supabase, with no rights', () => {
  const { services, networks } = parse(read('compose.yaml')) as Record<string, Record<string, unknown>>;
  expect(services!['rollcall']).toMatchObject({
    command: image.cmd,
    env_file: 'rollcall.env',
    restart: 'unless-stopped',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    volumes: [`./rollcall.yaml:${image.workdir}/rollcall.yaml:ro`],
    networks: ['supabase'],
    ports: ['127.0.0.1:8787:8787'],
  });
  expect(services!['rollcall']).not.toHaveProperty('environment');
  expect(networks).toEqual({ supabase: { name: 'supabase_default', external: true } });
});

test.skipIf(!existsSync('/usr/bin/systemd-analyze'))('systemd takes the unit, and finds it well shut in', async () => {
  const unit = join(folder, 'config', 'rollcall.service');
  await writeFile(unit, read('examples/systemd/rollcall.service').replace('/usr/bin/node', process.execPath));
  await exec('systemd-analyze', ['verify', unit]);
  const { stdout } = await exec('systemd-analyze', ['security', '--offline=true', unit]);
  expect(Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2);
});

test('the image installs, runs, is found healthy and ends when it is told to, where nothing can be written', async () => {
  const db = await createDatabase();
  const sandbox = await startSandbox({ limitsScale: 100 });
  onCleanup(() => sandbox.close());
  await writeFile(join(folder, 'config', 'rollcall.yaml'), configText(sandbox.apiUrl));
  await exec('chmod', ['-R', 'a+rX,a-w', folder]);
  await chmod(folder, 0o555);
  const env = { DATABASE_URL: db.hostedUrl, MAILTRAP_TOKEN: sandbox.token };

  expect(await contain([...image.entrypoint, 'apply', '--yes'], env).done).toMatchObject({ code: 0, stderr: '' });
  const worker = contain([...image.entrypoint, ...image.cmd, '--port', '0'], env);
  const [, port] = await worker.says(/"health":(\d+)/);
  await db.app.query(`insert into auth.users (id, email) values (gen_random_uuid(), 'one@example.com')`);
  await sandbox.until((state) => state.contactCount === 1);
  const check = (at: string) =>
    contain(
      image.healthcheck.map((word) => word.replace(':8787/', `:${at}/`)),
      {},
    ).done;
  expect((await check(port!)).code).toBe(0);
  worker.child.kill('SIGTERM');
  expect(await worker.done).toMatchObject({ code: 0, stderr: '' });
  expect((await check(port!)).code).toBe(1);
});
