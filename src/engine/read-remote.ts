import type { Destination } from '../core/destination.ts';
import { RollcallError } from '../core/errors.ts';
import type { ExportPlan, ExportProgress, RemoteRow } from '../core/exports.ts';
import { type ReadSuppressions, readSuppressions } from './read-suppressions.ts';
import { type Asking, createAsking, DEFAULT_REMOTE_TIMES, failed, type RemoteAccess } from './remote-asking.ts';
import type { RemoteReading } from './remote-ports.ts';

const BATCH = 1_000;

/** What was read, and which attributes the export had. */
export interface ReadRemote {
  readonly reading: RemoteReading;
  readonly rows: number;
  readonly attributes: readonly string[];
  /** Whether it was told who must not be mailed; undefined where the destination has no way to. */
  readonly suppressions: ReadSuppressions | undefined;
}

/**
 * Reads all contacts of a destination into the store, a batch at a time, then who must not be mailed. The caller closes the reading.
 * @throws RollcallError a code that begins with RC_EXPORT when it cannot be read, `RC_AUDIT_BUSY`, `RC_STOPPED`
 */
export async function readRemote(
  access: RemoteAccess,
  reading: RemoteReading,
  signal: AbortSignal,
): Promise<Omit<ReadRemote, 'reading'>> {
  const { destination, config, state, store } = access;
  const { downloadMs } = { ...DEFAULT_REMOTE_TIMES, ...access.times };
  const plan = exportsOf(destination, state.name);
  const asking = createAsking(access, reading, 'read', signal);
  access.onProgress?.({ step: 'exporting' });
  const id = await asking.until(() => plan.start(config));
  const url = await finished(asking, plan, config, id);
  let rows = 0;
  let reader: ReturnType<ExportPlan<unknown>['rows']> | undefined;
  let batch: RemoteRow[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await store.add(reading, batch);
    rows += batch.length;
    batch = [];
    access.onProgress?.({ step: 'reading', rows });
  };
  const from = plan.start(config).request.url;
  for await (const cells of access.readTable({ url, from, deadlineMs: downloadMs, signal })) {
    if (reader === undefined) {
      reader = plan.rows(cells, state.plan);
      continue;
    }
    const row = reader.read(cells);
    if (row !== undefined) batch.push(row);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  if (reader === undefined)
    throw failed(state.name, 'its file is empty, without so much as a header', 'RC_EXPORT_UNREADABLE');
  const suppressions = await readSuppressions(access, reading, signal);
  await store.complete(reading, rows + (suppressions?.kept ?? 0));
  return { rows, attributes: reader.attributes, suppressions };
}

/** @throws RollcallError `RC_EXPORT_NONE` when the destination cannot be read */
function exportsOf(destination: Destination<unknown>, name: string): ExportPlan<unknown> {
  if (destination.exports !== undefined) return destination.exports;
  throw new RollcallError('RC_EXPORT_NONE', `What ${name} has can't be read: ${destination.id} has no exports.`, {
    hint: 'Leave it out with --destination.',
  });
}

async function finished(asking: Asking, plan: ExportPlan<unknown>, config: unknown, id: string): Promise<string> {
  for (;;) {
    const progress: ExportProgress = await asking.until(() => plan.poll(id, config));
    if (progress.state === 'finished') return progress.url;
    if (progress.state === 'failed') throw failed(asking.name, progress.message.replace(/\.$/, ''), 'RC_EXPORT_FAILED');
    await asking.rest('the export is being made');
  }
}
