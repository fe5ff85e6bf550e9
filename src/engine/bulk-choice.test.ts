import { describe, expect, test } from 'vitest';
import { mailtrap } from '../destinations/mailtrap/index.ts';
import { ratePlan } from '../core/rate.ts';
import { choose, leastSeconds, leastTogether } from './bulk-choice.ts';
import { backfillWaits } from './lane.ts';

const parse = (options: object): unknown => mailtrap.config.parse({ api_token: 't', ...options });
const buckets = [{ name: 'contacts', ...ratePlan({ requests: 200, perMs: 60_000 }) }];

describe('how many must wait before they go together', () => {
  test('what the limit lets through in 15 s, and never less than fifty', () => {
    expect(leastTogether(mailtrap.bulk, parse({}), buckets)).toBe(50);
    const faster = [{ name: 'contacts', ...ratePlan({ requests: 2_000, perMs: 60_000 }) }];
    expect(leastTogether(mailtrap.bulk, parse({}), faster)).toBe(468);
  });

  test('what the config asks for; off means never; no limit means a full request', () => {
    expect(leastTogether(mailtrap.bulk, parse({ import_from: 7 }), buckets)).toBe(7);
    expect(leastTogether(mailtrap.bulk, parse({ import_from: 'off' }), buckets)).toBeUndefined();
    expect(leastTogether(mailtrap.bulk, parse({}), [])).toBe(50_000);
    expect(leastTogether(undefined, {}, buckets)).toBeUndefined();
  });
});

describe('what to do about a backlog', () => {
  test.each([
    [{ waiting: 49, oldestMs: 60_000, growing: false }, 'single'],
    [{ waiting: 50, oldestMs: 0, growing: false }, 'gather'],
    [{ waiting: 50, oldestMs: 500, growing: false }, 'send'],
    [{ waiting: 50, oldestMs: 500, growing: true }, 'gather'],
    [{ waiting: 50, oldestMs: 5_000, growing: true }, 'send'],
    [{ waiting: 1_000, oldestMs: 0, growing: true }, 'send'],
  ] as const)('%j: %s', (backlog, choice) => {
    expect(choose(backlog, 50, 1_000)).toBe(choice);
  });
});

test('a backfill keeps no more than half a second of permits waiting', () => {
  expect(backfillWaits(buckets)).toBe(2);
  expect(backfillWaits([])).toBe(Infinity);
});

test('the least time that contacts take by the limits: each by itself, or all in a few imports', () => {
  const seconds = (contacts: number, options: object): number =>
    Math.round(leastSeconds(contacts, mailtrap, parse(options)));
  expect(seconds(40, {})).toBe(13);
  expect(seconds(100_000, { import_from: 'off' })).toBe(31_937);
  expect(seconds(100_000, {})).toBe(1);
});
