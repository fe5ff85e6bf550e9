import { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { fatalError } from '../engine/fatal.ts';

/**
 * What the database said, as something a user can act on; undefined when the error is none of the database's.
 * Codes: postgresql.org/docs, "PostgreSQL Error Codes".
 */
export function databaseError(error: unknown): RollcallError | undefined {
  if (error instanceof RollcallError) return error;
  const known = fatalError(error);
  if (known !== undefined) return known;
  if (!(error instanceof Error)) return undefined;
  const { code = '' } = error as { code?: string };
  // Node's own codes have five letters too (EPIPE); only the server's errors have a severity.
  if ('severity' in error && /^[0-9A-Z]{5}$/.test(code)) return fromServer(code, error);
  const lost = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_)/.test(code);
  if (
    lost ||
    /^(?:Connection terminated|Query read timeout|timeout exceeded when trying to connect)/.test(error.message)
  ) {
    return new RollcallError(
      'RC_DATABASE_UNREACHABLE',
      `The connection to the database was lost (${code || 'no answer'}).`,
      {
        hint: 'Run the command again; nothing is left half done.',
        cause: error,
      },
    );
  }
  return undefined;
}

function fromServer(code: string, error: Error): RollcallError {
  const made = (rc: string, message: string, hint: string): RollcallError =>
    new RollcallError(rc, message, { hint, cause: error });
  if (code === '42501') return permission(error);
  if (code === '55P03' || code === '57014' || code === '40P01') {
    return made(
      'RC_DATABASE_BUSY',
      `The database could not do it in time (${code}): something else holds what is needed.`,
      'Run the command again; long transactions (a dump, an open editor) may have to end first.',
    );
  }
  if (code === '25006') {
    return made(
      'RC_DATABASE_READ_ONLY',
      'This database only reads: it is a replica, or it is out of disk space.',
      'Use the URL of the primary.',
    );
  }
  if (code.startsWith('53')) {
    return made(
      'RC_DATABASE_FULL',
      `The database has no room (${code}): connections, memory or disk.`,
      'Free some, or use the URL of the pooler.',
    );
  }
  if (code.startsWith('08') || code.startsWith('57P')) {
    return made(
      'RC_DATABASE_UNREACHABLE',
      `The database ended the connection (${code}).`,
      'Run the command again; nothing is left half done.',
    );
  }
  return made(
    'RC_DATABASE',
    `The database refused a statement (${code}): ${redact(error.message)}`,
    'If the app has changed a table that is mapped, `rollcall apply` makes the generated SQL fit again.',
  );
}

/** Names the right that is missing. The server's message has the kind and the name of the object. */
function permission(error: Error): RollcallError {
  const { message } = error;
  const [, kind = '', name = ''] = /permission denied for (\w+) ("?[\w.]+"?)/.exec(message) ?? [];
  const right = rightFor(kind, name.replaceAll('"', ''), message);
  return new RollcallError('RC_DATABASE_PERMISSION', `This database role lacks a right: ${right}.`, {
    hint: 'Use the role "postgres" of the Supabase project (dashboard, Connect), or grant the right to this role.',
    cause: error,
  });
}

function rightFor(kind: string, name: string, message: string): string {
  if (/row-level security|row security/.test(message)) return 'BYPASSRLS, to read auth.users past row security';
  if (/must be owner/.test(message)) return `ownership (${redact(message)}): Rollcall was installed by another role`;
  switch (kind) {
    case 'database':
      return `CREATE on the database ${name}, to make the schema rollcall`;
    case 'schema':
      return `USAGE on the schema ${name}${name === 'rollcall' ? ': Rollcall was installed by another role' : ''}`;
    case 'table':
      return name === 'users' ? 'SELECT and TRIGGER on auth.users' : `access to the table ${name}`;
    case 'function':
      return `EXECUTE on the function ${name}()`;
    default:
      return redact(message);
  }
}
