import { describe, expect, test } from 'vitest';
import { RollcallError } from '../core/errors.ts';
import { plain } from './paint.ts';
import type { DestinationStatus, StatusDocument } from './status-document.ts';
import { problemsOf } from './status-problems.ts';
import { renderStatus } from './status-view.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');

const quiet: DestinationStatus = {
  name: 'mailtrap',
  type: 'mailtrap',
  pending: 0,
  brakes: [],
  oldest_pending_s: null,
  in_step: 1_204,
  skipped: {},
  failed: 0,
  causes: [],
  events: {},
  pause_code: null,
  pause_message: null,
  paused_until: null,
  paused_since: null,
  pauses: 0,
};

const healthy: StatusDocument = {
  environment: 'production',
  project: 'abcdefghijklmnopqrst',
  bound: true,
  config_hash: 'a'.repeat(64),
  swept_at: '2026-01-02T02:50:05Z',
  backfill: null,
  sweep_report: null,
  events_lost: 0,
  sweep_wanted: false,
  unfolded: 0,
  oldest_unfolded_s: null,
  unwatched_s: 840,
  write_backs: { due: 0, failing: 0, codes: [] },
  triggers_missing: [],
  sources: [{ name: 'auth.users', pause_code: null, pause_message: null, held: 0 }],
  destinations: [quiet],
};

const ill: StatusDocument = {
  ...healthy,
  sweep_wanted: true,
  triggers_missing: ['auth.users: rollcall_insert', 'auth.users: rollcall_update', 'public.orders: rollcall_delete'],
  sources: [
    { name: 'auth.users', pause_code: '42703', pause_message: 'column users.full_name does not exist', held: 0 },
    { name: 'public.orders', pause_code: 'drift', pause_message: 'The column total is gone.', held: 1_500 },
    { name: 'public.profiles', pause_code: null, pause_message: null, held: 0 },
  ],
  destinations: [
    {
      ...quiet,
      pending: 12_345,
      brakes: [
        { kind: 'deletes', held: 1_040, stopped_at: '2026-01-02T02:50:05+00:00', share: 0.023, least: 10 },
        { kind: 'changes', held: 1, stopped_at: '2026-01-02T03:50:05+01:00', share: 0.2, least: 1_000 },
      ],
      oldest_pending_s: 4_321.5,
      skipped: { unconfirmed: 30, soft_deleted: 2 },
      failed: 3,
      causes: [
        { stage: 'deliver', code: 'invalid_email', field: 'email', count: 2 },
        { stage: 'map', code: '22P02', field: null, count: 1 },
      ],
      events: {
        pending: 7,
        delivered: 1_204,
        'dropped no_contact': 2,
        'dropped filtered': 11,
        'dead invalid_property': 1,
        'dead 22P02': 3,
      },
      pause_code: 'unauthorized',
      paused_since: '2026-01-02T02:55:00+00:00',
      pauses: 4,
      pause_message: 'Incorrect API token for ann@example.com',
      paused_until: '2026-01-02T03:10:00Z',
    },
    { ...quiet, name: 'second', in_step: 7 },
  ],
};

function render(status: StatusDocument, refusals: readonly RollcallError[] = []): string {
  return renderStatus(status, problemsOf(status, refusals, 3_600_000), { now: NOW, width: 80, paint: plain });
}

describe('at 80 columns', () => {
  test('healthy', () => {
    expect(render(healthy)).toBe(`Rollcall: project abcdefghijklmnopqrst, environment production

  destination  in step  pending  failed  skipped  oldest pending
  mailtrap       1,204        0       0        0  -

Last sweep 14 min ago.
Healthy.`);
  });

  test('everything wrong at once, without personal data', () => {
    const refusal = new RollcallError(
      'RC_CONFIG_NOT_APPLIED',
      'The config on this machine is not the one that was applied.',
      {
        hint: 'Run `rollcall apply`.',
      },
    );
    expect(render(ill, [refusal])).toBe(`Rollcall: project abcdefghijklmnopqrst, environment production

  destination  in step  pending  failed  skipped  oldest pending
  mailtrap       1,204   12,345       3       32  1 h 12 min
  second             7        0       0        0  -

  No contacts at mailtrap: 2 soft deleted, 30 unconfirmed

  Events at mailtrap: 7 pending; in the last 7 days 1,204 delivered, 13 dropped
  (11 filtered, 2 no contact), 4 failed

Last sweep 14 min ago; a running worker starts another within a minute.

RC_CONFIG_NOT_APPLIED: The config on this machine is not the one that was
applied.
  Run \`rollcall apply\`.
RC_TRIGGERS_MISSING: Triggers are missing, or switched off: auth.users:
rollcall_insert, rollcall_update; public.orders: rollcall_delete.
  Run \`rollcall apply\`. A sweep finds what contacts have missed; events of that
  time are lost.
RC_SOURCE_PAUSED: auth.users can't be read (42703): column users.full_name does
not exist. Until it can, no change reaches a destination.
  Nothing is lost. Make the config fit and run \`rollcall apply\`, or put back
  what is gone: it is then read again by itself.
RC_SOURCE_PAUSED: public.orders can't be read (drift): The column total is gone.
Until it can, what it gave to contacts stays as it was, and 1,500 rows are held
for their events.
  Nothing is lost. Make the config fit and run \`rollcall apply\`, or put back
  what is gone: it is then read again by itself.
RC_BRAKE: mailtrap: 1,040 deletions held since 2026-01-02 02:50 UTC, as there
were more than 2.3% of contacts (and at least 10) in an hour.
  None of them is deleted there. If people are missing in auth.users or your
  tables, restore them: who is back is held no longer. If they shall leave,
  \`rollcall release --deletes 1040 --destination mailtrap\` lets them go.
RC_BRAKE: mailtrap: 1 change held since 2026-01-02 02:50 UTC, as there were more
than 20% of contacts (and at least 1,000) in an hour.
  None of them is sent. If your tables hold wrong values, restore them. If they
  are right, \`rollcall release --changes 1 --destination mailtrap\` lets them go.
RC_DESTINATION_PAUSED: mailtrap is paused since 2026-01-02 02:55 UTC
(unauthorized): Incorrect API token for [email]. A worker tries it next at
2026-01-02 03:10 UTC.
  Give a valid key with the right scope and restart the workers. Nothing is lost
  meanwhile.
RC_FAILED: mailtrap: 3 contacts can't be delivered: 2 x invalid_email (email), 1
x 22P02.
  \`rollcall failures\` says what to do about each. They are tried again when they
  change, when \`rollcall apply\` changes what is sent there, or by \`rollcall
  failures retry\`.
RC_EVENTS_FAILED: mailtrap: 4 events can't be delivered: 3 x 22P02, 1 x
invalid_property.
  The events after them go on. \`rollcall failures\` says what to do; \`rollcall
  failures retry\` sends again those that were refused. They are forgotten a week
  later.
RC_BEHIND: mailtrap is behind: the oldest change waits for 1 h 12 min.
  Is a worker running (\`rollcall start\`)? Its log says what holds it up.

Unhealthy: 10 problems.`);
  });

  test('a backfill that is not over, and who is at it', () => {
    const shown = (more: Partial<NonNullable<StatusDocument['backfill']>>): string => {
      const backfill = { resource: null, scanned: 40_000, expected: 100_000, walked: false, held: true, ...more };
      return render({ ...healthy, backfill });
    };
    expect(shown({})).toContain('\nBackfill: 40,000 of about 100,000 rows read.\n');
    expect(shown({ expected: null, held: false })).toContain('nobody is at it');
    expect(shown({ walked: true })).toContain('rows read, all there are; what is due');
  });

  test('no line is wider', () => {
    expect(
      render(ill)
        .split('\n')
        .filter((line) => line.length > 80),
    ).toEqual([]);
  });

  test('consent that cannot be written back', () => {
    const status = { ...healthy, write_backs: { due: 3, failing: 1, codes: ['42501'] } };
    expect(problemsOf(status, [], 3_600_000)).toMatchObject([
      { code: 'RC_WRITE_BACK_FAILED', message: "What 1 person said can't be written back (42501)." },
    ]);
  });

  test('no destinations: missing triggers are as they should be', () => {
    const status = { ...healthy, destinations: [], triggers_missing: ['auth.users: rollcall_insert'], swept_at: null };
    expect(render(status)).toBe(`Rollcall: project abcdefghijklmnopqrst, environment production

  No destinations: nothing is sent.

No sweep yet; a running worker starts one within a minute.
Healthy.`);
  });
});

test.each([
  [600, []],
  [601, ['RC_BEHIND']],
])('after %d s of waiting: %j', (seconds, codes) => {
  const destinations = [{ ...quiet, pending: 1, oldest_pending_s: seconds }];
  expect(problemsOf({ ...healthy, destinations }, [], 3_600_000).map((problem) => problem.code)).toEqual(codes);
});

describe('when no worker runs', () => {
  const codes = (status: Partial<StatusDocument>): string[] =>
    problemsOf({ ...healthy, ...status }, [], 3_600_000).map((problem) => problem.code);

  test('changes that wait in the log for more than ten minutes', () => {
    expect(codes({ unfolded: 3, oldest_unfolded_s: 600 })).toEqual([]);
    expect(codes({ unfolded: 3, oldest_unfolded_s: 601 })).toEqual(['RC_BEHIND']);
    expect(render({ ...healthy, unfolded: 3, oldest_unfolded_s: 90 })).toContain(
      '3 changes not looked at yet, the oldest for 1 min.',
    );
  });

  test('no sweep for longer than two of them take turns, or none since the install', () => {
    expect(codes({ unwatched_s: 7_200 })).toEqual([]);
    expect(codes({ unwatched_s: 7_201 })).toEqual(['RC_BEHIND']);
    expect(codes({ swept_at: null, unwatched_s: 7_201 })).toEqual(['RC_BEHIND']);
    expect(codes({ swept_at: null, unwatched_s: null })).toEqual([]);
  });
});
