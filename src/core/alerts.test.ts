import { describe, expect, test } from 'vitest';
import { type AlertMessage, alertRequest } from './alert-message.ts';
import { alertsOf } from './alerts.ts';
import type { DestinationGauges, Gauges } from './gauges.ts';

const LIMITS = { stuckMs: 60_000, failed: 5, drift: 10 };
const CALM = { pending: 0, in_flight: 0, oldest_s: 0 };

const destination = (more: Partial<DestinationGauges> = {}): DestinationGauges => ({
  name: 'mailtrap',
  lanes: { live: CALM, backfill: CALM },
  held: { deletes: 0, changes: 0 },
  pause_code: null,
  dead_letters: 0,
  dead_letters_hour: 0,
  dead_letters_code: null,
  events_pending: 0,
  jobs: 0,
  ...more,
});

const gauges = (more: Partial<Gauges> = {}, ...destinations: readonly DestinationGauges[]): Gauges => ({
  unfolded: 0,
  unfolded_s: 0,
  uncaptured: 0,
  sweep_wanted: false,
  events_lost: 0,
  swept_s: 10,
  sweep: null,
  write_backs: 0,
  backfilling: false,
  sources_paused: [],
  destinations,
  ...more,
});

describe('what is wrong', () => {
  test('nothing, as long as nothing passes its limit', () => {
    const near = destination({
      lanes: { live: { ...CALM, oldest_s: 60 }, backfill: { ...CALM, oldest_s: 9_999 } },
      dead_letters: 500,
      dead_letters_hour: 4,
    });
    expect(alertsOf(gauges({ unfolded_s: 60, sweep: { found: 9, causes: ['unseen'] } }, near), LIMITS)).toEqual([]);
  });

  test('each by its kind and its subject', () => {
    const ill = destination({
      lanes: { live: { ...CALM, pending: 7, oldest_s: 61.4 }, backfill: CALM },
      held: { deletes: 12, changes: 0 },
      dead_letters: 9,
      dead_letters_hour: 5,
      dead_letters_code: 'invalid_email',
    });
    const paused = destination({ name: 'other', pause_code: 'unauthorized', lanes: ill.lanes });
    const all = gauges(
      {
        unfolded: 3,
        unfolded_s: 90,
        sweep: { found: 10, causes: ['truncate'] },
        sources_paused: [{ name: 'public.orders', code: '42703' }],
        reading: { read_s: 700, waited_s: 700.2, late: true },
      },
      ill,
      paused,
    );
    expect(alertsOf(all, LIMITS)).toEqual([
      { kind: 'stuck', subject: '', detail: { seconds: 90, unfolded: 3 } },
      { kind: 'drift', subject: '', detail: { found: 10, causes: 'truncate' } },
      { kind: 'api', subject: '', detail: { seconds: 700 } },
      { kind: 'source', subject: 'public.orders', detail: { code: '42703' } },
      { kind: 'stuck', subject: 'mailtrap', detail: { seconds: 61, pending: 7 } },
      { kind: 'failing', subject: 'mailtrap', detail: { in_an_hour: 5, dead_letters: 9, code: 'invalid_email' } },
      { kind: 'brake', subject: 'mailtrap', detail: { deletes: 12, changes: 0 } },
      // Not stuck: everybody waits for it, and the pause says so.
      { kind: 'paused', subject: 'other', detail: { code: 'unauthorized', pending: 7 } },
    ]);
  });

  test('the first sweep of an install finds everybody, and that is no drift', () => {
    const found = (causes: readonly string[]): number =>
      alertsOf(gauges({ sweep: { found: 5_000, causes } }), LIMITS).length;
    expect([found(['installed']), found(['config', 'bound']), found(['installed', 'capture_failed'])]).toEqual([
      0, 0, 1,
    ]);
  });

  test('a code that somebody may have written is not passed on', () => {
    const named = destination({ pause_code: 'refused for ann@example.com' });
    expect(alertsOf(gauges({}, named), LIMITS)[0]?.detail['code']).toBe('other');
  });
});

describe('the message', () => {
  const message: AlertMessage = {
    id: 'alert_1_begun',
    kind: 'brake',
    subject: 'mailtrap',
    detail: { deletes: 12, changes: 0 },
    environment: 'production',
    beganAt: '2026-01-02T03:04:05Z',
    endedAt: null,
  };

  test('has the shape of Standard Webhooks, a key against duplicates, and a sentence', () => {
    const request = alertRequest(message, 'https://example.com/hook');
    expect(request).toMatchObject({ method: 'POST', url: 'https://example.com/hook' });
    expect(request.headers).toMatchObject({ 'webhook-id': 'alert_1_begun', 'content-type': 'application/json' });
    expect(JSON.parse(request.body ?? '')).toEqual({
      type: 'rollcall.alert.begun',
      timestamp: '2026-01-02T03:04:05Z',
      text: 'Rollcall (production): a brake holds 12 deletions and 0 changes for mailtrap. Restore what went wrong, or run `rollcall release`.',
      data: {
        alert: 'brake',
        subject: 'mailtrap',
        environment: 'production',
        began_at: '2026-01-02T03:04:05Z',
        ended_at: null,
        deletes: 12,
        changes: 0,
      },
    });
  });

  test('says when it is over, without what to do', () => {
    const { body } = alertRequest({ ...message, endedAt: '2026-01-02T04:00:00Z' }, 'https://example.com');
    expect(JSON.parse(body ?? '')).toMatchObject({
      type: 'rollcall.alert.ended',
      timestamp: '2026-01-02T04:00:00Z',
      text: 'Rollcall (production): over: a brake holds 12 deletions and 0 changes for mailtrap.',
    });
  });

  test.each(['stuck', 'failing', 'paused', 'source', 'drift', 'wal', 'api', 'test'] as const)(
    '%s reads as a sentence',
    (kind) => {
      for (const subject of kind === 'stuck'
        ? ['', 'mailtrap']
        : kind === 'api' || kind === 'wal'
          ? ['']
          : ['mailtrap']) {
        const detail = { seconds: 90, code: 'x', in_an_hour: 5, found: 10, causes: 'truncate', why: 'budget' };
        const { body } = alertRequest({ ...message, kind, subject, detail }, 'https://example.com');
        const { text } = JSON.parse(body ?? '') as { text: string };
        expect(text).toMatch(/^Rollcall \(production\): \w.*[.?a-z`]$/);
        expect(text).not.toMatch(/undefined| {2}|\(\)/);
      }
    },
  );
});
