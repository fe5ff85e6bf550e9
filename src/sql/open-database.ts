import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config/types.ts';
import { RollcallError } from '../core/errors.ts';
import type { Logger } from '../engine/ports.ts';
import { openPg } from './pg.ts';
import type { Sql } from './port.ts';
import { apiProjectRef, projectRef } from './project-ref.ts';

/** How long a database may take to answer, in ms; the defaults of `openPg` where absent. */
export interface Patience {
  readonly connectMs?: number;
  readonly queryMs?: number;
}

export interface OpenOptions extends Patience {
  /** Most connections; the default of `openPg` where absent. */
  readonly max?: number;
  /** The text of `ssl_root_cert`, where there is no file to read it from. */
  readonly sslRootCert?: string | undefined;
}

/**
 * Opens the database of a config and proves that it answers.
 * @param log told the text of every query, never its values, when the config says `log_queries`
 * @throws RollcallError `RC_DATABASE_URL`, `RC_SSL_ROOT_CERT`, `RC_DATABASE_UNREACHABLE`, `RC_DATABASE_TLS`, `RC_DATABASE_LOGIN`, and what
 * `openEmbedded` throws
 */
export async function openDatabase(config: Config, log?: Logger, options: OpenOptions = {}): Promise<Sql> {
  if (config.api !== undefined && config.api.stateFolder !== undefined)
    return await openState(config, config.api.stateFolder, log, options);
  return await openUrl(requireDatabaseUrl(config), config, log, options);
}

/** The embedded Postgres of a project that is read by its API. */
async function openState(config: Config, folder: string, log: Logger | undefined, options: OpenOptions): Promise<Sql> {
  // The edge home, which has no such thing, need not load it.
  const { openEmbedded } = await import('./embedded.ts');
  const state = await openEmbedded(resolve(join(dirname(config.file), folder)));
  try {
    const sql = await openUrl(state.url, config, log, options);
    return {
      ...sql,
      async close() {
        await sql.close();
        await state.release();
      },
    };
  } catch (error) {
    await state.release();
    throw error;
  }
}

async function openUrl(url: string, config: Config, log: Logger | undefined, options: OpenOptions): Promise<Sql> {
  const onQuery = (text: string): void => log?.info({ query: text }, 'query');
  const sslRootCert = options.sslRootCert ?? (await rootCert(config));
  const sql = openPg({ ...options, url, sslRootCert, onQuery: config.log.queries ? onQuery : undefined });
  try {
    await sql.query('select 1');
    return sql;
  } catch (error) {
    await sql.close();
    throw connectError(error, new URL(url).host);
  }
}

/** Whether a config says where its state is. @throws RollcallError `RC_DATABASE_URL` when it does not */
export function requireDatabase(config: Config): void {
  if (config.api === undefined) requireDatabaseUrl(config);
}

/** @throws RollcallError `RC_DATABASE_URL` when the config has none, or one whose password is not encoded */
export function requireDatabaseUrl(config: Config): string {
  if (config.databaseUrl !== undefined) {
    // What is taken for the host would be a part of the password, and messages name the host.
    if (
      !/^[^/?#@]*:\/\/[^/?#]*[/?#][^?]*@/.test(config.databaseUrl) &&
      !/:\/\/[^/?#]*@[^/?#]*@/.test(config.databaseUrl)
    )
      return config.databaseUrl;
    throw new RollcallError('RC_DATABASE_URL', 'The database URL has an @ where none can be.', {
      hint: 'Characters such as @ / # ? : in the password must be percent-encoded: @ is %40, / is %2F, # is %23, ? is %3F, : is %3A.',
      place: { file: config.file, path: 'database_url' },
    });
  }
  throw new RollcallError('RC_DATABASE_URL', 'No database URL is configured.', {
    hint: 'Set database_url in rollcall.yaml, or DATABASE_URL in the environment (Supabase dashboard, Connect). Without one, write project_url and api_key under connectors.supabase: docs/api.md.',
    place: { file: config.file, path: 'database_url' },
  });
}

/**
 * The project a config's database belongs to: see `projectRef`.
 * @throws RollcallError `RC_DATABASE_URL` when the config has no database
 */
export function refOf(config: Config): string {
  return config.api === undefined
    ? projectRef(requireDatabaseUrl(config), config.projectUrl)
    : apiProjectRef(config.api.projectUrl);
}

/**
 * The text of `ssl_root_cert`; undefined when the config names none.
 * @throws RollcallError `RC_SSL_ROOT_CERT`
 */
export async function rootCert(config: Config): Promise<string | undefined> {
  if (config.sslRootCert === undefined) return undefined;
  try {
    return await readFile(config.sslRootCert, 'utf8');
  } catch (cause) {
    throw new RollcallError('RC_SSL_ROOT_CERT', `The file of ssl_root_cert can't be read: ${config.sslRootCert}`, {
      hint: 'Download the certificate in the Supabase dashboard (Database settings, SSL configuration) and give its path.',
      place: { file: config.file, path: 'ssl_root_cert' },
      cause,
    });
  }
}

// Node's and Postgres's own codes; the message of the driver is not passed on, as it can hold the URL.
const LOGIN = new Set(['28P01', '28000', '3D000']);

function connectError(error: unknown, host: string): RollcallError {
  const code = (error as { code?: string } | null)?.code ?? '';
  const message = error instanceof Error ? error.message : '';
  if (/CERT|SSL|TLS/.test(code) || /SSL|certificate|altnames/i.test(message)) {
    return new RollcallError(
      'RC_DATABASE_TLS',
      `The TLS certificate of the database at ${host} can't be verified (${code || 'no TLS'}).`,
      {
        hint: 'Set ssl_root_cert to the certificate from the Supabase dashboard (Database settings, SSL configuration).',
        cause: error,
      },
    );
  }
  if (LOGIN.has(code)) {
    return new RollcallError(
      'RC_DATABASE_LOGIN',
      `The database at ${host} refuses this user, password or database name (${code}).`,
      {
        hint: 'Copy the URL again from the Supabase dashboard (Connect); special characters in the password must be percent-encoded.',
        cause: error,
      },
    );
  }
  return new RollcallError(
    'RC_DATABASE_UNREACHABLE',
    `The database at ${host} can't be reached (${code || 'no answer'}).`,
    {
      hint: 'Check the host and port, and that this machine may connect: the direct host of Supabase speaks IPv6 only, the pooler IPv4 too.',
      cause: error,
    },
  );
}
