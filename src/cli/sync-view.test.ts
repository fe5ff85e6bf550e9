import { expect, test } from 'vitest';
import type { Backfill } from '../engine/backfill-ports.ts';
import { renderProgress, renderSummary, type View } from './sync-view.ts';

const counts = { created: 40_000, updated: 0, unchanged: 0, skipped: { not_synced: 2 }, failed: { '22P02': 1 } };
const run: Backfill = {
  id: 1,
  what: 'full',
  resource: null,
  since: null,
  most: null,
  expected: 100_000,
  scanned: 40_003,
  pages: 40,
  counts: { mailtrap: counts },
  walked: false,
  seconds: 4,
};
const waiting = (pending: number, pauseCode: string | null = null): View['pending'] => [
  { destination: 'mailtrap', pending, held: 0, pauseCode },
];
const view = (more: Partial<View>): string =>
  renderProgress({
    run,
    pending: waiting(10_000),
    leastSeconds: () => 0,
    began: { at: 0, scanned: 0 },
    now: 4_000,
    ...more,
  });

test('how far it is, how fast, and how long it takes: the slowest of reading and sending', () => {
  expect(view({})).toBe('[########------------] 38%, 40,003 of 100,000 rows, 10,001/s, 10,000 to send, 9 s left');
});

test('the limits of a destination count, whatever was sent so far', () => {
  const asked: [string, number][] = [];
  const line = view({
    leastSeconds: (name, contacts) => {
      asked.push([name, contacts]);
      return 3_600;
    },
  });
  expect(line).toMatch(/, 1 h left$/);
  expect(asked).toEqual([['mailtrap', 69_993]]);
});

test('nobody can tell at first, nor while nothing is sent; a pause is said', () => {
  expect(view({ now: 1_000 })).not.toContain('left');
  expect(view({ pending: waiting(40_000, 'unauthorized') })).toMatch(
    /40,000 to send, mailtrap is paused: unauthorized$/,
  );
});

test('the end, with what was skipped, failed, refused and held', () => {
  const held = [{ destination: 'mailtrap', pending: 0, held: 7, pauseCode: null }];
  const refused = [{ destination: 'mailtrap', code: 'invalid_email', count: 3 }];
  expect(renderSummary({ run: { ...run, walked: true }, refused, held })).toEqual([
    '40,003 rows read in 4 s.',
    'mailtrap: 40,000 created, 0 updated, 0 unchanged',
    '  skipped: 2 contacts (not_synced)',
    '  failed: 1 row that cannot be mapped (22P02)',
    '  failed: 3 contacts refused (invalid_email)',
    '  held by a brake: 7 contacts; see `rollcall status`',
  ]);
});
