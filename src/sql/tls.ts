import { RollcallError } from '../core/errors.ts';
import { isLoopbackHost } from '../core/loopback.ts';

/** How to reach a database: its URL without TLS parameters, and the TLS options that go with it. */
export interface ConnectionTarget {
  readonly url: string;
  /** False for a loopback server; else the certificate and the host name are verified, always. */
  readonly ssl: false | { readonly rejectUnauthorized: true; readonly ca?: string; readonly servername?: string };
  readonly host: string;
}

const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'ssl', 'sslcert', 'sslkey', 'uselibpqcompat'];

/**
 * Decides TLS for a database URL. A loopback server needs none; any other is verified in full (certificate and host),
 * whatever `sslmode` says, except `sslmode=disable`, which is an explicit choice for private networks.
 * @throws RollcallError `RC_DATABASE_URL` when the text is no Postgres URL
 */
export function connectionTarget(text: string, rootCert?: string): ConnectionTarget {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badUrl();
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw badUrl();
  const mode = url.searchParams.get('sslmode');
  for (const name of TLS_PARAMETERS) url.searchParams.delete(name);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const off = mode === 'disable' || (mode === null && rootCert === undefined && (host === '' || isLoopbackHost(host)));
  return {
    url: url.toString(),
    host,
    ssl: off ? false : { rejectUnauthorized: true, ...(rootCert === undefined ? {} : { ca: rootCert }) },
  };
}

function badUrl(): RollcallError {
  return new RollcallError('RC_DATABASE_URL', 'The database URL is not a Postgres URL.', {
    hint: 'Use the form postgresql://user:password@host:5432/database (Supabase dashboard, Connect).',
  });
}
