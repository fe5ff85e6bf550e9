import { isLoopbackHost } from '../../core/loopback.ts';
import { requireDatabaseUrl } from '../../sql/open-database.ts';
import { NotHeard, type Sql } from '../../sql/port.ts';
import { connectionTarget } from '../../sql/tls.ts';
import { type Check, error, type Finding, ok, warn } from './finding.ts';

interface Facts {
  readonly host: string;
  readonly tls: boolean;
  /** A NOTIFY arrives; null where nobody asked for one (`wake: poll`). */
  readonly heard: boolean | null;
  /** A standby, or a primary that was told to take no writes. */
  readonly readOnly: boolean;
  /** The database's clock less this machine's, in ms. */
  readonly skewMs: number;
  /** How long the question took: as much may the skew be off. */
  readonly roundTripMs: number;
}

/** Signed webhooks are refused when they seem five minutes old; tokens and rate limits notice less. */
const SKEW_WARN_MS = 5_000;
const SKEW_ERROR_MS = 120_000;

/** The way to the database: pooler, TLS, writable, and its clock. */
export const connection: Check<Facts> = {
  area: 'connection',
  async read({ sql, config }) {
    const { host, ssl } =
      config.api?.stateFolder === undefined
        ? connectionTarget(requireDatabaseUrl(config), undefined)
        : { host: 'localhost', ssl: false };
    const askedAt = Date.now();
    const [row] = await sql.query<{ ms: string; replica: boolean; ro: string }>(
      `select extract(epoch from clock_timestamp()) * 1000 as ms, pg_is_in_recovery() as replica,
              current_setting('default_transaction_read_only') as ro`,
    );
    const roundTripMs = Date.now() - askedAt;
    return {
      host,
      tls: ssl !== false || config.sslRootCert !== undefined,
      heard: config.wake === 'poll' ? null : await hears(sql),
      readOnly: row?.replica === true || row?.ro === 'on',
      skewMs: Number(row?.ms) - askedAt - roundTripMs / 2,
      roundTripMs,
    };
  },
  judge({ host, tls, heard, readOnly, skewMs, roundTripMs }, { api }) {
    const findings: Finding[] = [];
    if (readOnly) {
      findings.push(
        error(
          'RC_DATABASE_READ_ONLY',
          'This database only reads: it is a replica, or its disk is full.',
          'Use the URL of the primary, or make room (dashboard, Database, Disk).',
        ),
      );
    }
    if (!tls && !isLoopbackHost(host)) {
      findings.push(
        warn(
          'RC_TLS_OFF',
          `The connection to ${host} is not encrypted, as sslmode=disable says.`,
          `Take sslmode=disable out of ${api === undefined ? 'database_url' : 'state'}, and set ssl_root_cert.`,
        ),
      );
    }
    if (heard === false) {
      findings.push(
        warn(
          'RC_POOLER_TRANSACTION',
          'This is a pooler in transaction mode: no NOTIFY arrives, so an idle worker looks for changes instead of being woken.',
          'Use the pooler in session mode (port 5432) or the direct connection, or say so: wake: poll',
        ),
      );
    }
    const skew = Math.max(0, Math.abs(skewMs) - roundTripMs / 2);
    if (skew > SKEW_WARN_MS) {
      const seconds = Math.round(skew / 1_000).toLocaleString('en-US');
      const what = `The clocks of this machine and of the database are ${seconds} s apart.`;
      const fix = 'timedatectl set-ntp true  # on this machine; the database is right on hosted projects';
      findings.push(skew > SKEW_ERROR_MS ? error('RC_CLOCK', what, fix) : warn('RC_CLOCK', what, fix));
    }
    if (findings.length > 0) return findings;
    const kind = host.endsWith('.pooler.supabase.com') ? ['pooler, session mode'] : [];
    const how = [
      ...kind,
      tls ? 'TLS, verified' : 'no TLS, on this machine',
      ...(heard === null ? [] : ['NOTIFY arrives']),
    ];
    const name = api === undefined ? host : `the state database (${api.stateFolder ?? host})`;
    return [ok(`${name}: ${how.join(', ')}; clocks agree`)];
  },
};

async function hears(sql: Sql): Promise<boolean> {
  try {
    const listening = await sql.listen(
      'rollcall_doctor',
      () => undefined,
      () => undefined,
    );
    await listening.close();
    return true;
  } catch (cause) {
    if (cause instanceof NotHeard) return false;
    throw cause;
  }
}
