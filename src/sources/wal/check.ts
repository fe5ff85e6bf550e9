import type { Config } from '../../config/types.ts';
import { RollcallError } from '../../core/errors.ts';
import { requireDatabaseUrl, rootCert } from '../../sql/open-database.ts';
import { connectForReplication } from './stream.ts';

/** Node's own, and what says nothing of replication: whoever opens the database tells of these. */
const ELSEWHERE = /^(E[A-Z_]+|28P01|3D000|57P0\d|53\d{3})$/;
/** "Must have the REPLICATION attribute". */
const MAY_NOT = '42501';

/**
 * Opens a connection for replication once, as no pooler lets one through: found out, as other poolers are.
 * @throws RollcallError `RC_WAL_POOLER`, `RC_WAL_ROLE`; the driver's error where the database cannot be reached at all
 */
export async function checkReplication(config: Config): Promise<void> {
  const url = requireDatabaseUrl(config);
  try {
    const client = await connectForReplication(url, await rootCert(config));
    try {
      await client.query('IDENTIFY_SYSTEM');
    } finally {
      await client.end().catch(() => undefined);
    }
  } catch (error) {
    throw replicationError(error, new URL(url).host, config.file);
  }
}

/** What a refused connection for replication means; pure. */
export function replicationError(error: unknown, host: string, file: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof RollcallError || (typeof code === 'string' && ELSEWHERE.test(code))) return error;
  const place = { file, path: 'capture' };
  if (code === MAY_NOT) {
    return new RollcallError('RC_WAL_ROLE', 'The role of database_url may not read the write-ahead log.', {
      hint: 'Use the role "postgres" of the project, or as a superuser: alter role … replication; or use capture: triggers.',
      place,
      cause: error,
    });
  }
  return new RollcallError(
    'RC_WAL_POOLER',
    `The write-ahead log can't be read over this connection to ${host}: it is a pooler's, or the server takes no replication over it (${typeof code === 'string' ? code : 'no answer'}).`,
    {
      hint: 'Use the direct connection (db.<ref>.supabase.co:5432, IPv6 unless the project has the IPv4 add-on), or capture: triggers.',
      place,
      cause: error,
    },
  );
}
