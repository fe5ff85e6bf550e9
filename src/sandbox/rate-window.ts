/**
 * A strict sliding window: at most `limit` requests in any `perMs`. Refused requests are not counted.
 * Memory is one number per request allowed in a window; each call costs O(1) on average.
 */
export class RateWindow {
  readonly limit: number;
  private readonly perMs: number;
  private readonly now: () => number;
  private readonly times: Float64Array;
  private head = 0;
  private used = 0;

  /** @param limit requests per window, at least 1; `Infinity` means no limit */
  constructor(limit: number, perMs: number, now: () => number) {
    this.limit = Math.max(1, limit);
    this.perMs = perMs;
    this.now = now;
    this.times = new Float64Array(Number.isFinite(this.limit) ? this.limit : 0);
  }

  /** Requests still allowed at this moment. */
  remaining(): number {
    if (!Number.isFinite(this.limit)) return this.limit;
    const oldestInside = this.now() - this.perMs;
    while (this.used > 0 && (this.times[this.head] ?? 0) <= oldestInside) {
      this.head = (this.head + 1) % this.limit;
      this.used -= 1;
    }
    return this.limit - this.used;
  }

  /** How long until one request more is allowed than now, in ms; 0 when none is counted. */
  freeInMs(): number {
    return this.remaining() === this.limit ? 0 : (this.times[this.head] ?? 0) + this.perMs - this.now();
  }

  /** Counts one request. Call it only when `remaining()` is above zero. */
  take(): void {
    if (!Number.isFinite(this.limit)) return;
    this.times[(this.head + this.used) % this.limit] = this.now();
    this.used += 1;
  }

  clear(): void {
    this.head = 0;
    this.used = 0;
  }
}
