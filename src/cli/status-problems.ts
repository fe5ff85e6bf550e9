import type { RollcallError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { brakeProblems } from './status-brakes.ts';
import { eventCounts } from './status-events.ts';
import { walProblems } from './status-wal.ts';
import type { DestinationStatus, SourceStatus, StatusDocument } from './status-document.ts';
import { count, duration, utc } from './layout.ts';

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
  const { failing, codes } = status.write_backs ?? { failing: 0, codes: [] };
  if (failing > 0) {
    add(
      'RC_WRITE_BACK_FAILED',
      `What ${count(failing, 'person', 'people')} said can't be written back (${codes.join(', ')}).`,
      'The code is that of Postgres: a row that the app holds (55P03), a right that is missing (42501), or a trigger of the table. It is tried again by itself.',
    );
  }
  problems.push(...walProblems(status.wal));
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
    const since = d.paused_since === null ? '' : ` since ${utc(d.paused_since)}`;
    const words = redact(d.pause_message ?? '').replace(/[^.!?]$/, '$&.');
    const message = `${d.name} is paused${since} (${d.pause_code}): ${words} ${nextTry(d.paused_until)}`;
    problems.push({ code: 'RC_DESTINATION_PAUSED', message, hint: pauseHint(d.name, d.pause_code) });
  }
  if (d.failed > 0) {
    const causes = d.causes.map(
      (c) => `${c.count.toLocaleString('en-US')} x ${c.code}${c.field === null ? '' : ` (${c.field})`}`,
    );
    problems.push({
      code: 'RC_FAILED',
      message: `${d.name}: ${count(d.failed, 'contact')} can't be delivered: ${causes.join(', ')}.`,
      hint: '`rollcall failures` says what to do about each. They are tried again when they change, when `rollcall apply` changes what is sent there, or by `rollcall failures retry`.',
    });
  }
  const { dead } = eventCounts(d.events);
  if (dead.total > 0) {
    problems.push({
      code: 'RC_EVENTS_FAILED',
      message: `${d.name}: ${count(dead.total, 'event')} can't be delivered: ${listed(dead.reasons)}.`,
      hint: 'The events after them go on. `rollcall failures` says what to do; `rollcall failures retry` sends again those that were refused. They are forgotten a week later.',
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

/** @param until what the database says: a time, `infinity` for a pause that a person has to end, null for one that was ended */
function nextTry(until: string | null): string {
  if (until === null) return 'A worker tries it next at once.';
  return until === 'infinity' ? 'No worker tries it by itself.' : `A worker tries it next at ${utc(until)}.`;
}

/** What to do about a destination that is paused. @param code why it is */
export function pauseHint(name: string, code: string): string {
  switch (code) {
    case 'unauthorized':
    case 'forbidden':
      return 'Give a valid key with the right scope and restart the workers. Nothing is lost meanwhile.';
    case 'gone':
      return 'It asked for no more. When it shall be sent to again: `rollcall resume`. Nothing is lost meanwhile.';
    case 'plan_limit':
      return `Make room in the plan at the destination. It is tried again by itself, at once by \`rollcall resume ${name}\`.`;
    default:
      return `Correct what it says. It is tried again by itself, at once by \`rollcall resume ${name}\`, and nothing is lost meanwhile.`;
  }
}
