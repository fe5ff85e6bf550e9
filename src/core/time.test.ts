import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastMomentOf, parseIsoTime, secondsAsTime } from './time.ts';

test('every moment comes out as it went in, to the microsecond', () => {
  const moment = fc.date({ min: new Date('0001-01-01'), max: new Date('2255-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moment, fc.integer({ min: 0, max: 999 }), (date, micros) => {
      const text = date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`);
      expect(parseIsoTime(text)).toBe(date.getTime() * 1_000 + micros);
    }),
  );
});

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['1970-01-01 00:00:01.5+00', undefined],
  ['1970-01-01 00:00:01.5 UTC', 1_500_000],
  ['1970-01-01T01:00:00+01:00', 0],
  ['9999-12-31T00:00:00Z', Number.MAX_SAFE_INTEGER],
  ['1969-12-31T22:30:00-0130', 0],
  ['2026-11-21T10:00:00', undefined],
  ['2026-13-21T10:00:00Z', undefined],
  ['2026-11-21T25:00:00Z', undefined],
  ['2026-11-21T10:00:00+99:00', undefined],
  ['yesterday', undefined],
  ['', undefined],
])('%s', (text, micros) => expect(parseIsoTime(text)).toBe(micros));

test.each([
  [1_718_000_000, 1_718_000_000_000_000],
  [1.5, 1_500_000],
  [0, 0],
  [-1, undefined],
  [1_718_000_000_000, undefined],
  [Number.NaN, undefined],
  ['1718000000', undefined],
  [null, undefined],
])('%s seconds', (value, micros) => expect(secondsAsTime(value)).toBe(micros));

test.each([
  [0, 999_999],
  [5_000_000, 5_999_999],
  [5_000_001, 5_000_001],
  [5_001_000, 5_001_999],
])('the last moment that %i can mean is %i', (at, last) => {
  expect(lastMomentOf(at)).toBe(last);
});
