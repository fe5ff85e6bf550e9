import { parseIsoTime } from '../core/time.ts';

const DAY = /^\d{4}-\d\d-\d\d$/;
/** `12:30` before an offset. */
const NO_SECONDS = /([T ]\d\d:\d\d)(?=\s?(?:Z|UTC|[+-]))/i;
/** As Postgres writes them: `+00`. */
const SHORT_OFFSET = /([+-]\d\d)$/;
// The years 1 to 9999: what ISO 8601 writes with four digits, and Postgres reads.
const EARLIEST_MS = -62_135_596_800_000;
const LATEST_MS = 253_402_300_799_999;

/**
 * The moment that a program means. `Date.parse` alone takes `order 5` for a day of 2001, and a time without an offset for one of this
 * machine.
 * @param value a Date, or ISO 8601: a time with an offset, or a day (of UTC)
 * @returns undefined when it is neither, or of no year that has four digits
 */
export function momentOf(value: unknown): Date | undefined {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? millis(value.trim()) : undefined;
  return ms !== undefined && ms >= EARLIEST_MS && ms <= LATEST_MS ? new Date(ms) : undefined;
}

function millis(text: string): number | undefined {
  const isDay = DAY.test(text);
  const time = isDay ? `${text}T00:00:00Z` : text.replace(NO_SECONDS, '$1:00').replace(SHORT_OFFSET, '$1:00');
  const micros = parseIsoTime(time);
  return micros === undefined || !isDayOfMonth(time.slice(0, 10)) ? undefined : Math.floor(micros / 1_000);
}

/** Not so the 31st of February. */
function isDayOfMonth(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).getUTCDate() === Number(day.slice(8));
}
