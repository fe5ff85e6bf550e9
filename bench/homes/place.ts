import type pg from 'pg';
import { createCron } from '../../test/support/platform/cron.ts';
import { createNet } from '../../test/support/platform/net.ts';
import { createVault, putSecret } from '../../test/support/vault.ts';
import { benchYaml, type BenchOptions } from '../config.ts';
import { database } from '../database.ts';
import { install } from '../setup.ts';
import type { Home, Place } from './home.ts';

/** What is sent where: the key is in Vault under this name, so that all homes run from the same config. */
export const KEY = 'destination_key';

/** A database as a project has it, with the platform's extensions, Rollcall installed and a home deployed, not started. */
export async function placeFor(
  home: Home,
  at: {
    readonly url: (name: string) => string;
    readonly name: string;
    readonly token: string;
    readonly config: BenchOptions;
  },
): Promise<Place & { readonly client: pg.Client }> {
  const { url, client } = await database(at.url, at.name);
  const host = { url, app: client };
  await createVault(host);
  await createNet(host);
  await createCron(host);
  await putSecret(host, KEY, at.token);
  const yaml = benchYaml(url, at.config);
  await install(url, yaml);
  const place = { ...host, client, yaml };
  await home.deploy(place);
  return place;
}
