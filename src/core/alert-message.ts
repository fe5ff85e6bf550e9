import type { Alert } from './alerts.ts';
import type { HttpRequest } from './destination.ts';

/** One message to the receiver. Times are ISO 8601. */
export interface AlertMessage extends Alert {
  /** The same for a message that is sent again: the receiver's key against duplicates. */
  readonly id: string;
  readonly environment: string;
  readonly beganAt: string;
  /** Null while it goes on. */
  readonly endedAt: string | null;
}

/**
 * The request of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec, "Payload structure": `type`,
 * `timestamp`, `data`), without its signature, which the transport adds. `text` says it in a sentence, where chats look for it.
 */
export function alertRequest(message: AlertMessage, url: string): HttpRequest {
  const { id, kind, subject, environment, beganAt, endedAt, detail } = message;
  const body = {
    type: `rollcall.alert.${kind === 'test' ? 'test' : endedAt === null ? 'begun' : 'ended'}`,
    timestamp: endedAt ?? beganAt,
    text: sentence(message),
    data: { alert: kind, subject, environment, began_at: beganAt, ended_at: endedAt, ...detail },
  };
  const headers = { 'content-type': 'application/json', 'webhook-id': id, 'user-agent': 'rollcall' };
  return { method: 'POST', url, headers, body: JSON.stringify(body) };
}

/** Names of the config, counts and codes; never a destination's own words. */
function sentence(message: AlertMessage): string {
  const { kind, environment, endedAt } = message;
  const [what, todo] = alertWords(message);
  const start = `Rollcall (${environment}): `;
  if (kind === 'test') return `${start}${what}`;
  return endedAt === null ? `${start}${what} ${todo}` : `${start}over: ${what}`;
}

/** What it says, and what to do: names of the config, counts and codes. */
export function alertWords({ kind, subject, detail }: Alert): readonly [what: string, todo: string] {
  const said = (key: string): string => String(detail[key] ?? '');
  const to = subject === '' ? '' : ` for ${subject}`;
  switch (kind) {
    case 'stuck':
      return subject === ''
        ? [
            `the oldest change has waited ${said('seconds')} s to be folded.`,
            'Is a worker running? See `rollcall status`.',
          ]
        : [`the oldest contact${to} has waited ${said('seconds')} s.`, 'See `rollcall status`.'];
    case 'failing':
      return [
        `${said('in_an_hour')} dead letters${to} within an hour, most with ${said('code')}.`,
        'See `rollcall status`.',
      ];
    case 'paused':
      return [
        `${subject} is paused (${said('code')}): nothing is sent to it.`,
        'See `rollcall status`; mend it and restart a worker.',
      ];
    case 'source':
      return [`${subject} is not read (${said('code')}).`, 'Make the config fit it and run `rollcall apply`.'];
    case 'brake':
      return [
        `a brake holds ${said('deletes')} deletions and ${said('changes')} changes${to}.`,
        'Restore what went wrong, or run `rollcall release`.',
      ];
    case 'drift':
      return [
        `a sweep found ${said('found')} contacts out of step (${said('causes')}).`,
        'See `rollcall sweep --help`.',
      ];
    case 'wal':
      return [
        `the replication slot was given up (${said('why')}): triggers capture changes.`,
        'See `rollcall status`; `rollcall apply` goes back to the write-ahead log.',
      ];
    case 'api':
      return [
        `the project has not been read whole by its API for ${said('seconds')} s.`,
        "See the worker's log; `rollcall test` asks the API.",
      ];
    case 'test':
      return ['this is a test; nothing is wrong.', ''];
  }
}
