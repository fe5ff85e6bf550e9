import { CAPTURES, SIZE } from './read-capture.ts';
import { allowEnv, choice, object, type Schema } from './schema-parts.ts';

const size = (description: string): Schema => ({ ...allowEnv({ type: 'string', pattern: SIZE }), description });

/** The JSON Schema of `capture`. */
export const captureSchema: Schema = choice(
  CAPTURES,
  'How changes are seen. wal: a worker reads them from the write-ahead log, over a direct connection. Default: triggers.',
);

/** The JSON Schema of `wal`. */
export const walSchema: Schema = object('How much of the write-ahead log may be kept for Rollcall.', {
  warn: size('From when on it is told. Default: 512MB, at most half of keep.'),
  keep: size('From when on triggers are made again, and the slot is given up. Default: 1GB.'),
});
