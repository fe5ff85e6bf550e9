import { daysSinceEpoch } from './time.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
// RFC 9110 section 5.6.7: IMF-fixdate, and the two obsolete forms a recipient must still read.
const IMF_FIXDATE = /^[a-z]{3}, (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/i;
const RFC_850 = /^[a-z]{6,9}, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i;
const ASCTIME = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i;

/**
 * Reads an HTTP date without a clock (RFC 9110 section 5.6.7).
 * @returns ms since 1970-01-01 UTC, or undefined when the text is no HTTP date
 */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim();
  let parts: readonly (string | undefined)[] | undefined = IMF_FIXDATE.exec(trimmed)?.slice(1);
  if (parts === undefined) {
    const old = RFC_850.exec(trimmed)?.slice(1);
    // Two-digit years: 70 to 99 are of the last century. The rule of the RFC needs a clock; this one does not.
    if (old !== undefined) parts = old.with(2, String(Number(old[2]) + (Number(old[2]) < 70 ? 2000 : 1900)));
  }
  if (parts === undefined) {
    const asc = ASCTIME.exec(trimmed)?.slice(1);
    if (asc !== undefined) parts = [asc[1], asc[0], asc[5], asc[2], asc[3], asc[4]];
  }
  if (parts === undefined) return undefined;
  const [day, , year, hour, minute, second] = parts.map(Number) as [number, number, number, number, number, number];
  const month = MONTHS.indexOf((parts[1] ?? '').toLowerCase()) + 1;
  if (month === 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return (((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

/**
 * How long an answer asks us to wait (RFC 9110 section 10.2.3): seconds, or an HTTP date. A date is compared with the
 * answer's own `date` header, so that our clock does not matter.
 *
 * @param headers names in lower case
 * @returns ms, or undefined when nothing readable was asked for
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const until = parseHttpDate(value);
  const now = parseHttpDate(headers['date'] ?? '');
  if (until === undefined || now === undefined) return undefined;
  return Math.max(0, until - now);
}
