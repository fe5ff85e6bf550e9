/** Days from 1970-01-01 to a date of the Gregorian calendar. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // Years are taken to start in March, so that the leap day is the last day of a year.
  const shifted = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leapDays + dayOfYear - 719_468;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(?:Z|UTC|([+-])(\d\d):?(\d\d))$/i;
/** The year 9999 in seconds since 1970: a greater number counts milliseconds, or nothing. */
const LATEST_SECOND = 253_402_300_799;

/**
 * Reads a time as ISO 8601 writes it, with an offset, without a clock.
 * @returns microseconds since 1970, at most those of the year 2255, up to which a number has them all; undefined when the text is no such time, or names no moment without an offset
 */
export function parseIsoTime(text: string): number | undefined {
  const parts = ISO.exec(text.trim());
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [, , , , , , , fraction = '', sign = '+', hours = '0', minutes = '0'] = parts;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  const seconds = ((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
  return Math.min(Number.MAX_SAFE_INTEGER, seconds * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6)));
}

/** Seconds since 1970, as microseconds; undefined when it is no such number, or one of milliseconds. */
export function secondsAsTime(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 0) || value > LATEST_SECOND) return undefined;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.floor(value * 1_000_000));
}

/**
 * The last moment that a time can mean: vendors count seconds or milliseconds, and a no of the same second as a yes may have been said
 * after it. In microseconds since 1970.
 */
export function lastMomentOf(at: number): number {
  if (at % 1_000_000 === 0) return at + 999_999;
  return at % 1_000 === 0 ? at + 999 : at;
}
