import { formatPlace, RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { ConfigErrors } from '../config/config-errors.ts';
import { databaseError } from './database-error.ts';
import { type Io, widthOf } from './io.ts';
import { wrap } from './layout.ts';
import { painter } from './paint.ts';
import { visible } from './visible.ts';

/**
 * Tells the user what went wrong, on standard error: code, message, place, what to do. On a terminal its lines are broken; in a pipe
 * each stays one line, for whoever searches a log. A stack trace is shown only for what is no RollcallError, and only with
 * ROLLCALL_DEBUG=1.
 * @returns the exit code
 */
export async function reportError(error: unknown, io: Io): Promise<number> {
  const known = asRollcallError(error);
  const paint = painter(io.stderr, io.env);
  const width = errorWidth(io);
  const write = (text: string): void => void io.stderr.write(visible(text, io.stderr));
  const head = (code: string, message: string): string =>
    `${wrap(`error ${code}: ${message}`, width).replace('error', paint('red', 'error'))}\n`;
  if (known === undefined) {
    const message = error instanceof Error ? error.message : String(error);
    write(head('RC_INTERNAL', redact(message.split('\n')[0] ?? '')));
    if (io.env['ROLLCALL_DEBUG'] === '1') {
      write(`${redact(error instanceof Error ? (error.stack ?? '') : '')}\n`);
    } else write('  This is a fault in Rollcall. ROLLCALL_DEBUG=1 shows where it happened.\n');
    return 1;
  }
  if (isConfigErrors(known)) {
    const { explainConfigErrors } = await import('../config/explain.ts');
    const many = known.errors.length === 1 ? 'a mistake' : `${known.errors.length} mistakes`;
    write(`${head(known.code, `${known.file} has ${many}.`)}\n${broken(explainConfigErrors(known), width)}`);
    return 1;
  }
  const place = formatPlace(known.place);
  write(head(known.code, known.message));
  if (place !== '' && !known.message.includes(place)) write(`  at ${place}\n`);
  if (known.hint !== undefined) write(`${broken(`  ${known.hint}`, width)}\n`);
  return 1;
}

/** How long a line of an error may be. */
export function errorWidth({ stderr }: Pick<Io, 'stderr'>): number {
  return stderr.isTTY === true ? widthOf(stderr) : Infinity;
}

/** Lines that are too long, broken; those of the file that is wrong stay as they are, with the mark below them. */
function broken(text: string, width: number): string {
  const source = /^ *\d* \|/;
  return text
    .split('\n')
    .map((line) => {
      if (line.length <= width || source.test(line)) return line;
      return wrap(line.trimStart(), width, /^ */.exec(line)?.[0]);
    })
    .join('\n');
}

/** The error as one that may be shown: a RollcallError, or one made of what the system or the database said. */
export function asRollcallError(error: unknown): RollcallError | undefined {
  if (error instanceof RollcallError) return error;
  const { code, syscall, address, port } = (error ?? {}) as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === 'listen') {
    const why = code === 'EADDRINUSE' ? 'another program listens there' : (code ?? 'error');
    return new RollcallError('RC_PORT', `Port ${port ?? ''} of ${address ?? 'this machine'} can't be used: ${why}.`, {
      hint: 'Choose another with --port, or 0 for a free one.',
      cause: error,
    });
  }
  return databaseError(error);
}

function isConfigErrors(error: RollcallError): error is ConfigErrors {
  return error.code === 'RC_CONFIG_INVALID' && 'lines' in error && 'errors' in error;
}
