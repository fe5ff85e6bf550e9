import { type SweepCause, type SweepReport, totalFound } from '../engine/sweep-report.ts';
import { columns, count, duration, wrap } from './layout.ts';
import type { Paint } from './paint.ts';

/** The text of `rollcall sweep`. */
export function renderSweep(
  report: SweepReport,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string {
  const { scanned, seconds, found, failed, why, unwatched, paused } = report;
  const total = totalFound(found);
  const lines = [`${count(scanned, 'row')} read in ${duration(seconds)}.`];
  if (total === 0) lines.push(paint('green', 'Everybody is as the rows say.'));
  else {
    const rows = [
      [found.missing, 'had no contact'],
      [found.returned, 'had left, and are there again'],
      [found.stale, 'were not as the rows say'],
      [found.gone, 'have no row any more'],
    ] as const;
    const shown = rows.filter(([n]) => n > 0).map(([n, what]) => [n.toLocaleString('en-US'), what]);
    lines.push(
      '',
      `${count(total, 'contact')} not in step, now queued for the workers, a brake permitting:`,
      columns(shown, 'rl'),
    );
  }
  if (why.length > 0) {
    lines.push('', total === 0 ? 'It was wanted because:' : 'Why:');
    for (const cause of why) lines.push(wrap(describeCause(cause), width, '  '));
  }
  if (failed > 0) lines.push('', wrap(`${count(failed, 'contact')} cannot be mapped: see \`rollcall status\`.`, width));
  if (paused.length > 0)
    lines.push('', wrap(`Not read, as it is paused: ${paused.join(', ')}. See \`rollcall status\`.`, width));
  if (unwatched.length > 0) {
    const text = `Triggers are missing, or switched off, and could not be made: ${unwatched.join(', ')}. Run \`rollcall apply\`.`;
    lines.push('', paint('red', wrap(text, width)));
  }
  return lines.join('\n');
}

/** What a sweep found, in one line; undefined when that was nothing. */
export function sweepInShort({ found, why }: Pick<SweepReport, 'found' | 'why'>): string | undefined {
  if (totalFound(found) === 0) return undefined;
  // In one order, which the database does not keep.
  const counts = KINDS.filter((what) => found[what] > 0);
  const list = counts.map((what) => `${found[what].toLocaleString('en-US')} ${what}`).join(', ');
  const causes = why.map(({ cause, source }) => SHORT[cause] + (source === undefined ? '' : ` ${source}`));
  return `${list} (${causes.join('; ')})`;
}

const KINDS = ['missing', 'returned', 'stale', 'gone'] as const;

const SHORT: Readonly<Record<SweepCause['cause'], string>> = {
  truncate: 'TRUNCATE',
  trigger_missing: 'triggers gone:',
  trigger_disabled: 'triggers switched off:',
  trigger_changed: 'triggers changed:',
  partition_new: 'new partition',
  source_resumed: 'was paused:',
  slot_lost: 'replication slot lost:',
  capture_failed: 'capture failed',
  installed: 'first sweep',
  config: 'another config',
  bound: 'another database',
  clock: 'time passed',
  unseen: 'no trigger saw it',
};

function describeCause({ cause, source, count: n }: SweepCause): string {
  const table = source ?? 'a table';
  switch (cause) {
    case 'truncate':
      return `${table} was truncated${n === undefined || n === 1 ? '' : ` ${n} times`}.`;
    case 'trigger_missing':
      return `Triggers of ${table} were gone; they are made again. Events of that time, if any, are lost.`;
    case 'trigger_disabled':
      return `Triggers of ${table} were switched off; they are on again. Events of that time, if any, are lost.`;
    case 'trigger_changed':
      return `Triggers of ${table} were not ours any more; they are made again. Events of that time, if any, are lost.`;
    case 'partition_new':
      return `${table} is a new partition or child; it has triggers now.`;
    case 'source_resumed':
      return `${table} was paused for a while.`;
    case 'slot_lost':
      return `The replication slot was lost, and with it changes of ${table}. Events of that time, if any, are lost.`;
    case 'capture_failed':
      return `Capture failed for ${count(n ?? 0, 'write')}: Rollcall's tables were locked, full or broken.`;
    case 'installed':
      return 'It is the first sweep of this install: rows are older than it.';
    case 'config':
      return 'The config was changed.';
    case 'bound':
      return 'The install was bound to another database.';
    case 'clock':
      return 'Values depend on the clock, and time has passed.';
    case 'unseen':
      return 'No trigger saw it: writes with session_replication_role = replica, a restore, a trigger that was off for a while, or a ban that has ended.';
  }
}
