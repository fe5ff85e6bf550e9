import type { Outcome } from '../core/outcome.ts';
import { GuardError } from './guard.ts';

/** Why there is no answer, in words of our own: messages of libraries may hold what must not be logged. */
const BEFORE: readonly (readonly [RegExp, code: string, words: string])[] = [
  [/^(?:ENOTFOUND|EAI_AGAIN|ENODATA|EAI_\w+)$/, 'dns_failed', 'its name could not be resolved'],
  [/^ECONNREFUSED$/, 'connection_refused', 'the connection was refused'],
  [/^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'connect_timeout', 'the connection took too long'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'unreachable', 'it can’t be reached from here'],
  [
    /^(?:ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)$/,
    'tls_failed',
    'its certificate was not accepted or TLS failed',
  ],
];

const AFTER: readonly (readonly [RegExp, code: string, words: string])[] = [
  [/^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE|ECONNABORTED)$/, 'connection_closed', 'closed the connection'],
  [/^(?:HPE_\w+|UND_ERR_RES_\w+|UND_ERR_HEADERS_OVERFLOW)$/, 'malformed_http', 'sent something that is not HTTP'],
  [/^UND_ERR_(?:HEADERS|BODY)_TIMEOUT$/, 'deadline', 'took too long to answer'],
];

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/**
 * The outcome of a request without an answer.
 * @param sent whether its first byte may have left; only then may it have arrived
 * @param host named in the message
 */
export function failureOutcome(error: unknown, sent: boolean, host: string): Outcome {
  if (error instanceof GuardError) return { kind: 'config', code: 'blocked_address', message: error.message };
  const code = codeOf(error);
  if (!sent && code === 'UND_ERR_INVALID_ARG') {
    return { kind: 'config', code: 'invalid_request', message: `The request to ${host} could not be put into HTTP.` };
  }
  if (!sent) {
    const [, name, words] = BEFORE.find(([pattern]) => pattern.test(code)) ?? [
      0,
      'connect_failed',
      'connecting failed',
    ];
    return { kind: 'retry', code: name, message: `Nothing was sent to ${host}: ${words}.` };
  }
  const [, name, words] = AFTER.find(([pattern]) => pattern.test(code)) ?? [0, 'no_answer', 'gave no answer'];
  return { kind: 'unknown', code: name, message: `The request was sent, then ${host} ${words}.` };
}

/** The outcome of a request that we ended ourselves. */
export function stoppedOutcome(code: 'deadline' | 'aborted', sent: boolean, host: string): Outcome {
  const why = code === 'deadline' ? 'the time allowed was over' : 'the worker was stopping';
  return sent
    ? { kind: 'unknown', code, message: `The request was sent to ${host}, but ${why} before an answer came.` }
    : { kind: 'retry', code, message: `Nothing was sent to ${host}: ${why}.` };
}
