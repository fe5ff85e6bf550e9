import { RollcallError } from '../core/errors.ts';
import type { RemoteRow } from '../core/exports.ts';
import { readExport } from './read-export.ts';
import { readPages } from './read-pages.ts';
import { type ReadSuppressions, readSuppressions } from './read-suppressions.ts';
import type { RemoteAccess } from './remote-asking.ts';
import type { RemoteReading } from './remote-ports.ts';

const BATCH = 1_000;

/** What was read, and which attributes the reading had. */
export interface ReadRemote {
  readonly reading: RemoteReading;
  readonly rows: number;
  readonly attributes: readonly string[];
  /** Whether it was told who must not be mailed; undefined where the destination has no way to, or its contacts show it. */
  readonly suppressions: ReadSuppressions | undefined;
}

/** Where rows go that are read; `attributes` are those that were read. */
export type ReadRows = (
  access: RemoteAccess,
  reading: RemoteReading,
  keep: (row: RemoteRow) => Promise<void>,
  signal: AbortSignal,
) => Promise<{ readonly attributes: readonly string[] }>;

/**
 * Reads all contacts of a destination into the store, a batch at a time, then who must not be mailed. The caller closes the reading.
 * @throws RollcallError a code that begins with RC_EXPORT when it cannot be read, `RC_AUDIT_BUSY`, `RC_STOPPED`
 */
export async function readRemote(
  access: RemoteAccess,
  reading: RemoteReading,
  signal: AbortSignal,
): Promise<Omit<ReadRemote, 'reading'>> {
  const { store } = access;
  const read = wayOf(access);
  let rows = 0;
  let batch: RemoteRow[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await store.add(reading, batch);
    rows += batch.length;
    batch = [];
    access.onProgress?.({ step: 'reading', rows });
  };
  const keep = async (row: RemoteRow): Promise<void> => {
    batch.push(row);
    if (batch.length >= BATCH) await flush();
  };
  const { attributes } = await read(access, reading, keep, signal);
  await flush();
  const suppressions = await readSuppressions(access, reading, signal);
  await store.complete(reading, rows + (suppressions?.kept ?? 0));
  return { rows, attributes, suppressions };
}

/** @throws RollcallError `RC_EXPORT_NONE` when the destination cannot be read */
function wayOf({ destination, state }: RemoteAccess): ReadRows {
  if (destination.exports !== undefined) return readExport;
  if (destination.pages !== undefined) return readPages;
  throw new RollcallError('RC_EXPORT_NONE', `What ${state.name} has can't be read: ${destination.id} has no exports.`, {
    hint: 'Leave it out with --destination.',
  });
}
