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
  if (code === 'RC002') {
    return new RollcallError(
      'RC_NOT_BOUND',
      detail === 'unbound'
        ? 'This install is not bound to this database yet, so nothing is sent.'
        : `This database is not the one Rollcall was bound to (${detail ?? ''} differs). It may be a clone, a branch or a restore, so nothing is sent.`,
      { hint: 'If this copy shall send, run `rollcall rebind`.', cause: error },
    );
  }
  const missing = code === '3F000' || ((code === '42883' || code === '42P01') && /rollcall\./.test(message ?? ''));
  if (missing) {
    return notInstalled(error);
  }
  return undefined;
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
