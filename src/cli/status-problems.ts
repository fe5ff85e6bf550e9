import type { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { brakeProblems } from './status-brakes.ts';
import { eventCounts } from './status-events.ts';
import type { DestinationStatus, SourceStatus, StatusDocument } from './status-document.ts';
import { count, duration } from './layout.ts';

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
      `Triggers are missing, or switched off: ${byTable(status.triggers_missing)}.`,
      `Run \`rollcall apply\`. A sweep finds what contacts have missed${hasEvents(status) ? '; events of that time are lost' : ''}.`,
    );
  }
  for (const source of status.sources) problems.push(...sourceProblems(source));
  const behind = workerProblem(status, sweepEveryMs);
  if (behind !== undefined && status.destinations.length > 0)
    add('RC_BEHIND', behind, 'Is a worker running (`rollcall start`)?');
  for (const destination of status.destinations) {
    problems.push(...brakeProblems(destination, status.destinations.length > 1), ...destinationProblems(destination));
  }
  return problems;
}

function hasEvents({ destinations }: StatusDocument): boolean {
  return destinations.some((d) => Object.keys(d.events).length > 0);
}

/** `auth.users: rollcall_insert, rollcall_update; public.orders: rollcall_delete`. */
function byTable(missing: readonly string[]): string {
  const tables = new Map<string, string[]>();
  for (const entry of missing) {
    const at = entry.lastIndexOf(': ');
    const table = entry.slice(0, at);
    tables.set(table, [...(tables.get(table) ?? []), entry.slice(at + 2)]);
  }
  return [...tables].map(([table, names]) => `${table}: ${names.join(', ')}`).join('; ');
}

function sourceProblems({ name, pause_code: code, pause_message: message, held }: SourceStatus): Problem[] {
  if (code === null) return [];
  const meanwhile =
    name === 'auth.users'
      ? 'no change reaches a destination'
      : `what it gave to contacts stays as it was${held === 0 ? '' : `, and ${count(held, 'row')} ${held === 1 ? 'is held for its event' : 'are held for their events'}`}`;
  return [
    {
      code: 'RC_SOURCE_PAUSED',
      message: `${name} can't be read (${code}): ${redact(message ?? '').replace(/\.?$/, '.')} Until it can, ${meanwhile}.`,
      hint: 'Nothing is lost. Make the config fit and run `rollcall apply`, or put back what is gone: it is then read again by itself.',
    },
  ];
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
  const { dead } = eventCounts(d.events);
  if (dead.total > 0) {
    problems.push({
      code: 'RC_EVENTS_FAILED',
      message: `${d.name}: ${count(dead.total, 'event')} can't be delivered: ${listed(dead.reasons)}.`,
      hint: 'The events after them go on. Correct the rows, or the mapping of the properties, for those to come; these are not sent again, and forgotten a week later.',
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

function listed(reasons: readonly (readonly [reason: string, n: number])[]): string {
  return reasons.map(([reason, n]) => `${n.toLocaleString('en-US')} x ${reason}`).join(', ');
}

function pauseHint(code: string): string {
  switch (code) {
    case 'unauthorized':
    case 'forbidden':
      return 'Give a valid key with the right scope and restart the workers. Nothing is lost meanwhile.';
    case 'gone':
      return 'It asked for no more, so it is not tried again by itself. When it shall be sent to again: `rollcall apply`. Nothing is lost meanwhile.';
    case 'plan_limit':
      return 'Make room in the plan at the destination. It is tried again by itself.';
    default:
      return 'Correct what it says. It is tried again by itself, and nothing is lost meanwhile.';
  }
}
