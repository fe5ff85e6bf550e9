import type { Limits, RateLimit } from '../../core/limits.ts';
import type { BrevoConfig } from './config.ts';

const HOUR_MS = 3_600_000;

/**
 * Requests by plan (developers.brevo.com/docs/api-limits): a second and an hour of `/v3/contacts/*` and, apart from them, of
 * events; an hour of all other paths together. For the largest plan no hourly numbers are published.
 */
const PLANS = {
  general: { second: 10, hour: 36_000, other: 100 },
  advanced: { second: 20, hour: 72_000, other: 200 },
  extended: { second: 60, hour: undefined, other: 200 },
} as const satisfies Record<BrevoConfig['plan'], object>;

/** A body of `POST /events/batch` (developers.brevo.com/docs/event-endpoints: 512 KB), a little below. */
const MOST_BYTES = 500_000;

/** Contacts that are sent one by one in 15 s: with fewer an import is not worth its wait. Not scaled, as that is of the sandbox. */
export function worthAnImport({ plan }: BrevoConfig): number {
  return PLANS[plan].second * 15;
}

/** Attributes, lists and imports are below `/v3/contacts` and count there; only questions about an import do not. */
export function limits({ plan, limits_scale, concurrency }: BrevoConfig): Limits {
  const { second, hour, other } = PLANS[plan];
  const scaled = (requests: number): number => Math.max(1, Math.floor(requests * limits_scale));
  const both = (name: string, of: RateLimit['of']): RateLimit[] => [
    { name, requests: scaled(second), perMs: 1_000, of },
    ...(hour === undefined ? [] : [{ name: `${name}_hour`, requests: scaled(hour), perMs: HOUR_MS, of }]),
  ];
  return {
    buckets: [
      ...both('contacts', ['contact', 'bulk', 'read', 'suppressions']),
      ...both('events', ['event']),
      { name: 'other', requests: scaled(other), perMs: HOUR_MS, of: ['poll'] },
    ],
    concurrency,
    bytesPerRequest: MOST_BYTES,
  };
}
