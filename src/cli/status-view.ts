import type { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { columns, count, duration, wrap } from './layout.ts';
import type { Paint } from './paint.ts';

/** What `rollcall.status()` returns. */
export interface StatusDocument {
  readonly environment: string | null;
  readonly project: string | null;
  readonly bound: boolean;
  readonly config_hash: string | null;
  readonly swept_at: string | null;
  readonly sweep_note: string | null;
  readonly sweep_wanted: boolean;
  /** Keys in the log that no worker has folded yet. */
  readonly unfolded: number;
  readonly oldest_unfolded_s: number | null;
  /** Since the last sweep, or since the install was bound when there was none; null while it is unbound. */
  readonly unwatched_s: number | null;
  readonly triggers_missing: readonly string[];
  readonly sources: readonly {
    readonly name: string;
    readonly pause_code: string | null;
    readonly pause_message: string | null;
  }[];
  readonly destinations: readonly DestinationStatus[];
}

export interface DestinationStatus {
  readonly name: string;
  readonly type: string;
  readonly pending: number;
  readonly oldest_pending_s: number | null;
  readonly in_step: number;
  /** Reason to number of people who are no contacts. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly causes: readonly {
    readonly stage: string;
    readonly code: string;
    readonly field: string | null;
    readonly count: number;
  }[];
  readonly pause_code: string | null;
  readonly pause_message: string | null;
  readonly paused_until: string | null;
}

/** Something that is wrong, and what to do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const BEHIND_S = 600;

/**
 * Everything that makes an install unhealthy, the most urgent first.
 * @param refusals why a worker with this config would not start: wrong config, wrong database
 * @param sweepEveryMs time between the sweeps of a running worker
 */
export function problemsOf(
  status: StatusDocument,
  refusals: readonly RollcallError[],
  sweepEveryMs: number,
): readonly Problem[] {
  const problems: Problem[] = refusals.map(({ code, message, hint }) => ({ code, message, hint: hint ?? '' }));
  const add = (code: string, message: string, hint: string): void => void problems.push({ code, message, hint });
  if (status.triggers_missing.length > 0 && status.destinations.length > 0) {
    add(
      'RC_TRIGGERS_MISSING',
      `Triggers are missing on auth.users, or switched off: ${status.triggers_missing.join(', ')}.`,
      'Run `rollcall apply`. A sweep finds what they have missed.',
    );
  }
  for (const source of status.sources) {
    if (source.pause_code === null) continue;
    add(
      'RC_SOURCE_PAUSED',
      `${source.name} can't be read (${source.pause_code}): ${redact(source.pause_message ?? '')}`,
      'Make the config fit the table, then run `rollcall apply`.',
    );
  }
  const behind = workerProblem(status, sweepEveryMs);
  if (behind !== undefined && status.destinations.length > 0)
    add('RC_BEHIND', behind, 'Is a worker running (`rollcall start`)?');
  for (const destination of status.destinations) problems.push(...destinationProblems(destination));
  if (status.sweep_note !== null) {
    add('RC_BRAKE', status.sweep_note, 'If users are missing there, restore them: the next sweep looks again.');
  }
  return problems;
}

/** What says that no worker is at work. */
function workerProblem(status: StatusDocument, sweepEveryMs: number): string | undefined {
  if ((status.oldest_unfolded_s ?? 0) > BEHIND_S) {
    return `${count(status.unfolded, 'change')} in the log, and the oldest waits for ${duration(status.oldest_unfolded_s ?? 0)}.`;
  }
  const unwatched = status.unwatched_s ?? 0;
  if (unwatched <= Math.max(BEHIND_S, (2 * sweepEveryMs) / 1000)) return undefined;
  return status.swept_at === null
    ? `No worker has looked at the users since the install ${duration(unwatched)} ago.`
    : `No worker has looked at the users for ${duration(unwatched)}.`;
}

function destinationProblems(d: DestinationStatus): Problem[] {
  const problems: Problem[] = [];
  if (d.pause_code !== null) {
    const message = `${d.name} is paused (${d.pause_code}): ${redact(d.pause_message ?? '')}`;
    problems.push({ code: 'RC_DESTINATION_PAUSED', message, hint: pauseHint(d.pause_code) });
  }
  if (d.failed > 0) {
    const causes = d.causes.map(
      (c) => `${c.count.toLocaleString('en-US')} x ${c.code}${c.field === null ? '' : ` (${c.field})`}`,
    );
    problems.push({
      code: 'RC_FAILED',
      message: `${d.name}: ${count(d.failed, 'contact')} can't be delivered: ${causes.join(', ')}.`,
      hint: 'Correct the rows, the mapping or the destination. Each is tried again when it changes, all refused ones by `rollcall apply`.',
    });
  }
  if ((d.oldest_pending_s ?? 0) > BEHIND_S) {
    problems.push({
      code: 'RC_BEHIND',
      message: `${d.name} is behind: the oldest change waits for ${duration(d.oldest_pending_s ?? 0)}.`,
      hint: 'Is a worker running (`rollcall start`)? Its log says what holds it up.',
    });
  }
  return problems;
}

function pauseHint(code: string): string {
  switch (code) {
    case 'unauthorized':
    case 'forbidden':
      return 'Give a valid key with the right scope and restart the workers. Nothing is lost meanwhile.';
    case 'plan_limit':
      return 'Make room in the plan at the destination. It is tried again by itself.';
    default:
      return 'Correct what it says. It is tried again by itself, and nothing is lost meanwhile.';
  }
}

/** The text of `rollcall status`. `now` is ms since the epoch. */
export function renderStatus(
  status: StatusDocument,
  problems: readonly Problem[],
  at: { readonly now: number; readonly width: number; readonly paint: Paint },
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
  if (status.unfolded > 0) {
    const oldest = duration(status.oldest_unfolded_s ?? 0);
    lines.push('', `${count(status.unfolded, 'change')} not looked at yet, the oldest for ${oldest}.`);
  }
  lines.push('', sweepLine(status, at.now));
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

function sweepLine({ swept_at: sweptAt, sweep_wanted: wanted }: StatusDocument, now: number): string {
  if (sweptAt === null) return 'No sweep yet; a running worker starts one within a minute.';
  const last = `Last sweep ${duration((now - Date.parse(sweptAt)) / 1000)} ago`;
  return wanted ? `${last}; a running worker starts another within a minute.` : `${last}.`;
}
