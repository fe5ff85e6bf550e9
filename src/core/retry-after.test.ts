import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHttpDate, retryAfterMs } from './retry-after.ts';

describe('parseHttpDate', () => {
  test('agrees with the platform on every date it writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (date) => {
        expect(parseHttpDate(date.toUTCString())).toBe(Math.floor(date.getTime() / 1000) * 1000);
      }),
    );
  });

  test('reads the obsolete forms too', () => {
    const expected = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(expected);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(expected);
    expect(parseHttpDate('Wednesday, 06-Nov-30 08:49:37 GMT')).toBe(Date.UTC(2030, 10, 6, 8, 49, 37));
  });

  test.each(['', 'soon', '2026-01-01', 'Sun, 06 Foo 1994 08:49:37 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT'])(
    'is undefined for %j',
    (text) => {
      expect(parseHttpDate(text)).toBeUndefined();
    },
  );

  test('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseHttpDate(text)));
  });
});

describe('retryAfterMs', () => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after': '30' }, 30_000],
    [{ 'retry-after': ' 0.25 ' }, 250],
    [{ 'retry-after': '-5' }, undefined],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT', date }, 60_000],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:40:37 GMT', date }, 0],
    [{ 'retry-after': 'Sun, 06 Nov 1994 08:50:37 GMT' }, undefined],
  ])('%j is %j', (headers, expected) => {
    expect(retryAfterMs(headers)).toBe(expected);
  });
});
