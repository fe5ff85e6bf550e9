import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { registry } from '../../src/destinations/registry.ts';
import { around, type Installed, REF } from '../integration/database/support.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { install } from './install.ts';

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

export interface TablesOptions {
  /** Makes the project's tables; run as the superuser, and everything in `public` is given to the hosted role. */
  readonly ddl: string;
  /** YAML under `connectors.supabase`. */
  readonly connector: string;
  readonly consent?: string;
  /** More YAML of the destination. */
  readonly destination?: string;
  /** More top-level YAML. */
  readonly more?: string;
  readonly db?: TestDatabase;
}

/** Users are contacts once they sign up: nobody confirms addresses here. */
export const USERS = `user_mapping:
  unconfirmed: true
  email: email
  user_metadata.full_name: FIRSTNAME`;

export function tablesConfig({ connector, consent, destination, more }: TablesOptions): Config {
  return parseConfig(
    `environment: test
connectors:
  supabase:
${indent(connector, 4)}
destinations:
  mailtrap:
    api_token: "0123456789abcdef"
${indent(destination ?? '', 4)}
consent: ${consent ?? '{ everyone: "they agreed to the terms" }'}
${more ?? ''}
`,
    { file: 'rollcall.yaml', env: {}, registry },
  );
}

/** A database with tables of a project, and Rollcall installed for them. */
export async function withTables(options: TablesOptions): Promise<Installed> {
  const db = options.db ?? (await createDatabase(true));
  await db.app.query(options.ddl);
  await db.app.query('grant all on all tables in schema public to hosted');
  const config = tablesConfig(options);
  await install(db, config, REF);
  return around(db, config);
}
