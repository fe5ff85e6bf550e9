import type { OutcomeKind } from './outcome.ts';

/**
 * What an HTTP status means unless a destination knows better.
 * 3xx is `config` because redirects are never followed: the base URL is wrong.
 * 402 and 403 are `config` because they are about the account, not about the record.
 */
export function classOfStatus(status: number): OutcomeKind {
  if (!Number.isInteger(status) || status < 200 || status > 599) return 'unknown';
  if (status < 300) return 'delivered';
  if (status < 400) return 'config';
  if (status >= 500) return 'retry';
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
      return 'config';
    case 408:
    case 425:
      return 'retry';
    case 429:
      return 'throttle';
    default:
      return 'reject';
  }
}
