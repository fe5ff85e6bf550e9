import type { Backfill, BackfillCounts, BackfillStore } from '../engine/backfill-ports.ts';
import type { EndedBackfill } from '../homes/backfill.ts';
import { count, duration } from './layout.ts';

type Pending = Awaited<ReturnType<BackfillStore['backfillPending']>>;

/** What a line of progress is made of; times are of `performance.now()`. */
export interface View {
  readonly run: Backfill;
  readonly pending: Pending;
  /** The least time that so many contacts take at a destination, in seconds. */
  readonly leastSeconds: (destination: string, contacts: number) => number;
  readonly began: { readonly at: number; readonly scanned: number };
  readonly now: number;
}

const BAR = 20;

/** `[########------------] 40% 400,000 of 1,000,000 rows, 21,300/s, 61,000 to send, 35 s left`. */
export function renderProgress({ run, pending, leastSeconds, began, now }: View): string {
  const waiting = pending.reduce((sum, each) => sum + each.pending, 0);
  const seconds = Math.max(0.001, (now - began.at) / 1_000);
  const of = run.most === null ? run.expected : Math.min(run.most, run.expected ?? run.most);
  // Half of the way is to read a row, the other half to send it.
  const read = run.walked ? 1 : of === null || of === 0 ? 0 : Math.min(1, run.scanned / of);
  const sent = run.scanned === 0 ? 0 : 1 - Math.min(1, waiting / Math.max(1, of ?? run.scanned));
  const share = (read + read * sent) / 2;
  const filled = Math.round(share * BAR);
  const rate = (run.scanned - began.scanned) / seconds;
  const parts = [
    `[${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}] ${Math.floor(share * 100)}%`,
    `${run.scanned.toLocaleString('en-US')}${of === null ? '' : ` of ${of.toLocaleString('en-US')}`} rows`,
    ...(run.walked ? [] : [`${Math.round(rate).toLocaleString('en-US')}/s`]),
    `${waiting.toLocaleString('en-US')} to send`,
    ...pending.flatMap((each) => (each.pauseCode === null ? [] : [`${each.destination} is paused: ${each.pauseCode}`])),
  ];
  const left = timeLeft({ run, of, pending, waiting, leastSeconds, rate, seconds });
  return left === undefined ? parts.join(', ') : `${parts.join(', ')}, ${duration(left)} left`;
}

/** By what was done so far, and by what the destinations allow: whatever is slowest decides. Undefined while nobody can tell. */
function timeLeft(at: {
  readonly run: Backfill;
  readonly of: number | null;
  readonly pending: Pending;
  readonly waiting: number;
  readonly leastSeconds: View['leastSeconds'];
  readonly rate: number;
  readonly seconds: number;
}): number | undefined {
  const { run, of, pending, waiting, leastSeconds, rate, seconds } = at;
  const changed = Object.values(run.counts).reduce((sum, each) => sum + each.created + each.updated, 0);
  const sentRate = Math.max(0, changed - waiting) / seconds;
  const rowsLeft = run.walked || of === null ? 0 : Math.max(0, of - run.scanned);
  const reading = rowsLeft === 0 ? 0 : rate > 0 ? rowsLeft / rate : undefined;
  // Of the rows that are not read yet, as many are to be sent as of those that are.
  const more = run.scanned === 0 ? 0 : rowsLeft / run.scanned;
  const toSend = waiting + more * changed;
  const sending = toSend === 0 ? 0 : sentRate > 0 ? toSend / sentRate : undefined;
  const allowed = pending.map(({ destination, pending: now }) => {
    const { created = 0, updated = 0 } = run.counts[destination] ?? {};
    return leastSeconds(destination, Math.round(now + more * (created + updated)));
  });
  if (seconds < 2 || reading === undefined || sending === undefined) return undefined;
  return Math.max(reading, sending, ...allowed);
}

/** The end of a backfill as a document. */
export function summaryOf({ run, refused, held }: EndedBackfill): object {
  const { what, resource, since, scanned, seconds } = run;
  const destinations = Object.entries(run.counts).map(([name, counts]) => ({
    name,
    ...counts,
    refused: Object.fromEntries(refused.filter((r) => r.destination === name).map((r) => [r.code, r.count])),
    held: held.find((h) => h.destination === name)?.held ?? 0,
  }));
  return { what, resource, since, scanned, seconds: Math.round(seconds * 10) / 10, destinations };
}

/** The end of a backfill in lines. */
export function renderSummary({ run, refused, held }: EndedBackfill): readonly string[] {
  const lines = [`${count(run.scanned, 'row')} read in ${duration(run.seconds)}.`];
  for (const [name, counts] of Object.entries(run.counts)) {
    lines.push(`${name}: ${countsText(counts)}`);
    for (const [reason, n] of Object.entries(counts.skipped))
      lines.push(`  skipped: ${count(n, 'contact')} (${reason})`);
    for (const [code, n] of Object.entries(counts.failed))
      lines.push(`  failed: ${count(n, 'row')} that cannot be mapped (${code})`);
    for (const r of refused)
      if (r.destination === name) lines.push(`  failed: ${count(r.count, 'contact')} refused (${r.code})`);
    const stopped = held.find((h) => h.destination === name);
    if (stopped !== undefined)
      lines.push(`  held by a brake: ${count(stopped.held, 'contact')}; see \`rollcall status\``);
  }
  return lines;
}

function countsText({ created, updated, unchanged }: BackfillCounts): string {
  const n = (value: number): string => value.toLocaleString('en-US');
  return `${n(created)} created, ${n(updated)} updated, ${n(unchanged)} unchanged`;
}
