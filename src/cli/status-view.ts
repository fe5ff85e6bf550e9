import { columns, count, duration, wrap } from './layout.ts';
import type { Paint } from './paint.ts';
import { readingLine, type ReadingStatus } from './reading-status.ts';
import type { DestinationStatus, Home, StatusDocument } from './status-document.ts';
import { describeEvents } from './status-events.ts';
import type { Problem } from './status-problems.ts';
import { walLine } from './status-wal.ts';
import { sweepInShort } from './sweep-view.ts';

/** The text of `rollcall status`. `now` is ms since the epoch. */
export function renderStatus(
  status: StatusDocument,
  problems: readonly Problem[],
  at: { readonly now: number; readonly width: number; readonly paint: Paint },
  reading?: ReadingStatus,
): string {
  const { paint, width } = at;
  const lines = [
    paint('bold', `Rollcall: project ${status.project ?? 'unbound'}, environment ${status.environment ?? 'unbound'}`),
    '',
  ];
  if (status.destinations.length === 0) lines.push('  No destinations: nothing is sent.');
  else lines.push(columns([HEAD, ...status.destinations.map(row)], 'lrrrrl'));
  for (const d of status.destinations) {
    const skipped = Object.entries(d.skipped).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (skipped.length === 0) continue;
    const list = skipped.map(([reason, n]) => `${n.toLocaleString('en-US')} ${reason.replaceAll('_', ' ')}`).join(', ');
    lines.push('', wrap(`No contacts at ${d.name}: ${list}`, width, '  '));
  }
  for (const d of status.destinations) {
    const events = describeEvents(d.events);
    if (events !== undefined) lines.push('', wrap(`Events at ${d.name}: ${events}`, width, '  '));
  }
  if (status.events_lost > 0) {
    const text = `The events of ${count(status.events_lost, 'write')} could not be captured since the install, and nothing brings them back; contacts are found by a sweep.`;
    lines.push('', wrap(text, width));
  }
  if (status.unfolded > 0) {
    const oldest = duration(status.oldest_unfolded_s ?? 0);
    lines.push('', `${count(status.unfolded, 'change')} not looked at yet, the oldest for ${oldest}.`);
  }
  if (status.erasing !== undefined) {
    const oldest = duration(status.erasing.oldest_s);
    const text = `${count(status.erasing.count, 'erasure')} at work, the oldest for ${oldest}: \`rollcall erase --list\` says what they wait for.`;
    lines.push('', wrap(text, width));
  }
  const read = walLine(status.wal);
  if (read !== undefined) lines.push('', wrap(read, width));
  if (reading !== undefined) lines.push('', wrap(readingLine(reading), width));
  if (status.backfill !== null) lines.push('', wrap(backfillLine(status.backfill), width));
  lines.push('', wrap(sweepLine(status, at.now), width));
  const delivering = homesLine(status);
  if (delivering !== undefined) lines.push('', wrap(delivering, width));
  if (problems.length === 0) return [...lines, paint('green', 'Healthy.')].join('\n');
  lines.push('');
  for (const { code, message, hint } of problems) {
    lines.push(wrap(`${code}: ${message}`, width).replace(code, paint('red', code)), wrap(hint, width, '  '));
  }
  return [...lines, '', paint('red', `Unhealthy: ${count(problems.length, 'problem')}.`)].join('\n');
}

const HEAD = ['destination', 'in step', 'pending', 'failed', 'skipped', 'oldest pending'];

function row(d: DestinationStatus): string[] {
  const skipped = Object.values(d.skipped).reduce((sum, n) => sum + n, 0);
  const numbers = [d.in_step, d.pending, d.failed, skipped].map((n) => n.toLocaleString('en-US'));
  return [d.name, ...numbers, d.oldest_pending_s === null ? '-' : duration(d.oldest_pending_s)];
}

function backfillLine({ scanned, expected, walked, held }: NonNullable<StatusDocument['backfill']>): string {
  const of = expected === null ? '' : ` of about ${expected.toLocaleString('en-US')}`;
  const read = `Backfill: ${scanned.toLocaleString('en-US')}${of} rows read`;
  if (walked) return `${read}, all there are; what is due is being sent.`;
  return held === true ? `${read}.` : `${read}, and nobody is at it: a running worker goes on, or \`rollcall sync\`.`;
}

const HOMES: Readonly<Record<Home, string>> = { worker: 'a worker', edge: 'the Edge Function', sql: 'the database' };

/** Who delivers; undefined when nobody ever did. */
function homesLine({ homes = [] }: StatusDocument): string | undefined {
  const atWork = homes.filter((each) => each.at_work).map(({ home }) => HOMES[home]);
  if (atWork.length > 0) return `Delivered by ${atWork.join(' and ')}.`;
  const [last] = homes;
  return last === undefined
    ? undefined
    : `Nobody delivers: last seen was ${HOMES[last.home]}, ${duration(last.seen_s)} ago.`;
}

function sweepLine(
  { swept_at: sweptAt, sweep_wanted: wanted, sweep_report: report }: StatusDocument,
  now: number,
): string {
  if (sweptAt === null) return 'No sweep yet; a running worker starts one within a minute.';
  const found = report === null ? undefined : sweepInShort(report);
  const last = `Last sweep ${duration((now - Date.parse(sweptAt)) / 1000)} ago${found === undefined ? '' : ` found ${found}`}`;
  return wanted ? `${last}; a running worker starts another within a minute.` : `${last}.`;
}
