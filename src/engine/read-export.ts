import type { ExportPlan, ExportProgress } from '../core/exports.ts';
import type { ReadRows } from './read-remote.ts';
import { type Asking, createAsking, DEFAULT_REMOTE_TIMES, failed } from './remote-asking.ts';

/** Has the destination make a file of all contacts, and reads it. */
export const readExport: ReadRows = async (access, reading, keep, signal) => {
  const { destination, config, state } = access;
  const { downloadMs } = { ...DEFAULT_REMOTE_TIMES, ...access.times };
  const plan = destination.exports;
  if (plan === undefined) throw new TypeError(`${destination.id} makes no file`);
  const asking = createAsking(access, reading, 'read', signal);
  access.onProgress?.({ step: 'exporting' });
  const id = await asking.until(() => plan.start(config));
  const url = await finished(asking, plan, config, id);
  let reader: ReturnType<ExportPlan<unknown>['rows']> | undefined;
  const from = plan.start(config).request.url;
  for await (const cells of access.readTable({ url, from, deadlineMs: downloadMs, signal })) {
    if (reader === undefined) {
      reader = plan.rows(cells, state.plan);
      continue;
    }
    const row = reader.read(cells);
    if (row !== undefined) await keep(row);
  }
  if (reader === undefined)
    throw failed(state.name, 'its file is empty, without so much as a header', 'RC_EXPORT_UNREADABLE');
  return { attributes: reader.attributes };
};

async function finished(asking: Asking, plan: ExportPlan<unknown>, config: unknown, id: string): Promise<string> {
  for (;;) {
    const progress: ExportProgress = await asking.until(() => plan.poll(id, config));
    if (progress.state === 'finished') return progress.url;
    if (progress.state === 'failed') throw failed(asking.name, progress.message.replace(/\.$/, ''), 'RC_EXPORT_FAILED');
    await asking.rest('the export is being made');
  }
}
