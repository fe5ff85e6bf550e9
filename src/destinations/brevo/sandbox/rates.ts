import { RateWindow } from '../../../sandbox/rate-window.ts';
import { bucketOf } from './route.ts';

const HOUR_MS = 3_600_000;

/**
 * Requests of the smallest plan (developers.brevo.com/docs/api-limits). Its 36,000 an hour of contacts and of events follow from
 * 10 in any second.
 */
const LIMITS = { contacts: [10, 1_000], events: [10, 1_000], other: [100, HOUR_MS] } as const;

/** What an answer says of a limit: `reset` is in seconds from now, not a time. */
type RateHeaders = Readonly<Record<string, string>>;

/** The limits of one account. Each kind of path has its own. */
export class Rates {
  private readonly windows: Readonly<Record<keyof typeof LIMITS, RateWindow>>;
  private last: RateWindow | undefined;

  /** @param scale how many times the vendor's; `Infinity` for none */
  constructor(scale: number, now: () => number) {
    const scaled = ([requests, perMs]: readonly [number, number]): RateWindow =>
      new RateWindow(Math.floor(requests * scale), perMs, now);
    this.windows = { contacts: scaled(LIMITS.contacts), events: scaled(LIMITS.events), other: scaled(LIMITS.other) };
  }

  /** Counts a request; false when it is one too many, which is not counted. */
  take(path: string): boolean {
    this.last = this.windows[bucketOf(path)];
    if (this.last.remaining() < 1) return false;
    this.last.take();
    return true;
  }

  /** Of the limit that counted the last request: every answer carries them. */
  headers(): RateHeaders {
    if (this.last === undefined || !Number.isFinite(this.last.limit)) return {};
    return {
      'x-sib-ratelimit-limit': String(this.last.limit),
      'x-sib-ratelimit-remaining': String(this.last.remaining()),
      'x-sib-ratelimit-reset': String(Math.ceil(this.last.freeInMs() / 1_000)),
    };
  }

  clear(): void {
    for (const window of Object.values(this.windows)) window.clear();
    this.last = undefined;
  }
}
