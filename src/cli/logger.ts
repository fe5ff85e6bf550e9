import { pino } from 'pino';
import type { Logger } from '../engine/ports.ts';
import type { TextStream } from './io.ts';

const HIDDEN = ['email', 'token', 'authorization'];

/** JSON lines by pino behind our port. Whatever is named like an address or a secret is taken out, at two depths. */
export function createLogger(stream: TextStream, level: 'error' | 'warn' | 'info' | 'debug'): Logger {
  const log = pino(
    {
      level,
      base: { name: 'rollcall' },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: HIDDEN.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    },
    { write: (line: string) => void stream.write(line) },
  );
  return {
    error: (fields, message) => log.error(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    info: (fields, message) => log.info(fields, message),
    debug: (fields, message) => log.debug(fields, message),
  };
}
