import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { withClient } from './client.ts';

/** A database with nothing in it, and how to drop it. */
export async function createStateDatabase(): Promise<readonly [string, () => Promise<void>]> {
  const maintenance = inject('postgres');
  const name = `s_${randomUUID().replaceAll('-', '')}`;
  await withClient(maintenance, (client) => client.query(`create database ${name}`));
  const url = new URL(maintenance);
  url.pathname = `/${name}`;
  const drop = async (): Promise<void> => {
    await withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return [url.toString(), drop];
}
