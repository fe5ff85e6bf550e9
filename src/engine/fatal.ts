import { RollcallError } from '../core/errors.ts';

/**
 * The error that no retry can mend, as something to tell the user; undefined for all others. The codes are raised by the
 * functions in the `rollcall` schema.
 */
export function fatalError(error: unknown): RollcallError | undefined {
  const { code, detail, message } = (error ?? {}) as { code?: string; detail?: string; message?: string };
  if (code === 'RC001') {
    return new RollcallError(
      'RC_CONFIG_NOT_APPLIED',
      `The config that this process has read is not the one that is applied (${detail ?? ''}).`,
      {
        hint: 'If the applied one is in the file by now, start again; else run `rollcall apply` with this one.',
        cause: error,
      },
    );
  }
  if (code === 'RC002') return notBound(detail ?? '', error);
  if (code === 'RC061' || code === 'RC062') return keyProblem(code, error);
  const missing = code === '3F000' || ((code === '42883' || code === '42P01') && /rollcall\./.test(message ?? ''));
  if (missing) {
    return notInstalled(error);
  }
  return undefined;
}

/** Without the key it cannot be told who was erased; with another one nobody was. */
function keyProblem(code: 'RC061' | 'RC062', cause: unknown): RollcallError {
  if (code === 'RC062') {
    return new RollcallError('RC_ERASURE_KEY_WRONG', 'This is not the key that the erased were hashed with.', {
      hint: 'Put back the first one: `erasure.key` in the config, or rollcall_erasure_key in Vault, which goes before it. Another key would find nobody.',
      cause,
    });
  }
  return new RollcallError('RC_ERASURE_KEY_MISSING', 'The key that the erased are hashed with is not known here.', {
    hint: 'Make one with `openssl rand -base64 32` and set `erasure: {key: ${ROLLCALL_ERASURE_KEY}}`, for every worker and for good; or let it stand in Vault as rollcall_erasure_key.',
    cause,
  });
}

/** What differs in a restored original, a failover or an upgrade; anything else differs in a copy. */
const RESTORED = new Set(['system identifier', 'timeline', 'table identifiers', 'position']);

/**
 * Whether a database that differs so is the original, restored: the project, the environment and the database are the same.
 * @param differs as the detail of RC002 lists it
 */
export function isRestored(differs: string): boolean {
  return differs.split(', ').every((what) => RESTORED.has(what));
}

/**
 * Whether a database that differs so is the same cluster on a new timeline: a standby was promoted, or it was restored to a point
 * in time. All that told it from a copy is as it was.
 * @param differs as the detail of RC002 lists it
 */
export function isFailover(differs: string): boolean {
  const all = differs.split(', ');
  return all.includes('timeline') && all.every((what) => what === 'timeline' || what === 'position');
}

function notBound(differs: string, cause: unknown): RollcallError {
  const made = (message: string, hint: string): RollcallError =>
    new RollcallError('RC_NOT_BOUND', message, { hint, cause });
  if (differs === 'unbound') {
    return made(
      'This install is not bound to this database yet, so nothing is sent.',
      'If this copy shall send, run `rollcall rebind`.',
    );
  }
  if (differs === 'position') {
    return made(
      'This database was set back to an earlier point (a worker had seen a later write position), so nothing is sent.',
      'Run `rollcall recover`: it reads what the destinations have before anything is sent.',
    );
  }
  const what = `This database is not the one Rollcall was bound to (${differs} differs).`;
  return isRestored(differs)
    ? made(
        `${what} It may be restored, failed over or upgraded, so nothing is sent.`,
        'Run `rollcall recover`: it reads what the destinations have before anything is sent. If it is a copy that shall send too, `rollcall rebind --environment <name>`.',
      )
    : made(
        `${what} It may be a clone or a branch, so nothing is sent.`,
        'If this copy shall send, run `rollcall rebind --environment <name>`.',
      );
}

/** What to say of a database without a whole install. */
export function notInstalled(cause?: unknown): RollcallError {
  return new RollcallError('RC_NOT_INSTALLED', 'Rollcall is not installed in this database, or only in part.', {
    hint: 'Run `rollcall apply`.',
    cause,
  });
}

/** Set when the source itself cannot be read: a column is gone, a right was taken, row security applies. */
export function sourceProblem(error: unknown): { readonly code: string; readonly message: string } | undefined {
  const { code, detail, message } = (error ?? {}) as { code?: string; detail?: string; message?: string };
  return code === 'RC003' ? { code: detail ?? code, message: message ?? '' } : undefined;
}
