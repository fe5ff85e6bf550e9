import type { EventHappening } from '../../../../src/core/states/event.ts';
import { dropFailures, retryFailures } from '../../../../src/sql/store/failures.ts';
import { pauseTable, settleEvent, unmappable } from './event-places.ts';
import { WAYS } from './happen.ts';
import {
  claim,
  DELIVERED,
  giveBack,
  hurry,
  order,
  REJECT,
  remove,
  reset,
  settle,
  signUp,
  type Subject,
  UNKNOWN,
} from './subject.ts';

const HERE = { destination: 'mailtrap' };
const RETRY = { kind: 'retry', code: 'http_503', message: '' } as const;

const fail = (subject: Subject): Promise<void> =>
  subject.sql(
    `update rollcall.events set tries = 9, failing_since = rollcall.trying_clock(destination_id) - interval '2 days'`,
  );

/** Whoever leaves is deleted there, and what waits is tried once before. */
const contactDeleted = async (subject: Subject): Promise<void> => {
  if (subject.held !== undefined) await giveBack(subject);
  await remove(subject);
  await hurry(subject);
  await claim(subject);
  const { delivery } = subject.held!;
  await settle(
    subject,
    { kind: 'delivered' },
    { events: delivery.events.map(({ id }) => ({ id, outcome: RETRY, latencyMs: 1 })) },
  );
};

/** How each is made to happen. */
export const EVENT_WAYS: Readonly<Record<EventHappening, (subject: Subject) => Promise<void>>> = {
  'captured, its contact is there': order,
  async 'captured, its contact is not there yet'(subject) {
    await reset(subject);
    await signUp(subject);
    await order(subject);
  },
  async 'captured, and leads to nobody'(subject) {
    await subject.sql('insert into public.orders values (1, null, null)');
    await subject.one.foldAll();
  },
  'captured, and cannot be mapped': unmappable,
  async 'captured, its table is paused'(subject) {
    await pauseTable(subject);
    await order(subject);
  },
  async 'captured in a part of the window'(subject) {
    // Two rows in one statement each, and room for one of them.
    await subject.sql('begin');
    await subject.sql('insert into public.orders values (1, $1, null)', [subject.key]);
    await subject.sql('select rollcall.capture(array[$1::text, gen_random_uuid()::text])', [subject.key]);
    await subject.sql('commit');
    await subject.one.store.fold(1);
  },
  async 'its table can be read again'(subject) {
    await subject.sql(`select rollcall.resume_source('public.orders')`);
    await subject.one.foldAll();
  },
  'the window is folded to its end': (subject) => subject.sql('select rollcall.release_events()'),
  async 'its contact is accepted there'(subject) {
    await claim(subject);
    await settle(subject, DELIVERED);
  },
  async 'claim of its contact'(subject) {
    await hurry(subject);
    await claim(subject);
  },
  'given back unsent': giveBack,
  'settle delivered': (subject) => settleEvent(subject, { kind: 'delivered' }),
  'settle retry': (subject) => settleEvent(subject, RETRY),
  'settle throttle': (subject) => settleEvent(subject, { kind: 'throttle', code: 'http_429', message: '' }),
  'settle config': (subject) => settleEvent(subject, { kind: 'config', code: 'unauthorized', message: '' }),
  'settle unknown': (subject) => settleEvent(subject, UNKNOWN),
  'settle reject': (subject) => settleEvent(subject, REJECT),
  async 'settle retry, the window is over'(subject) {
    await fail(subject);
    await settleEvent(subject, RETRY);
  },
  async 'settle unknown, the window is over'(subject) {
    await fail(subject);
    await settleEvent(subject, UNKNOWN);
  },
  // What src/engine/perform-events.ts makes of it.
  'settle unknown, not to be repeated': (subject) =>
    settleEvent(subject, { kind: 'reject', code: 'unknown_not_repeated', message: '' }),
  'settle retry, its contact is gone there': (subject) =>
    settleEvent(subject, { kind: 'retry', code: 'contact_missing', message: '', forgetRemote: true }),
  'settle: its contact was not accepted': (subject) => settle(subject, RETRY, { events: [] }),
  'settle delivered, under a lost lease': (subject) => settleEvent(subject, { kind: 'delivered' }, subject.lost),
  'settle reject, under a lost lease': (subject) => settleEvent(subject, REJECT, subject.lost),
  'settle retry, under a lost lease': (subject) => settleEvent(subject, RETRY, subject.lost),
  'lease has run out: claimed by another': WAYS['lease has run out: claimed by another'].make,
  'its contact is deleted there': contactDeleted,
  async '72 hours are over'(subject) {
    await subject.sql(`update rollcall.events set wait_until = clock_timestamp() - interval '1 second'`);
    // Its contact is nowhere, and nothing is under way that would change that.
    await subject.sql(
      `delete from rollcall.due d using rollcall.desired s where s.contact_id = d.contact_id and coalesce(s.remote_address, s.remote_id) is null`,
    );
    await subject.sql('select rollcall.expire_events(10)');
  },
  async 'a week is over'(subject) {
    await subject.sql(`update rollcall.events set ended_at = ended_at - interval '8 days'`);
    await subject.sql('select rollcall.expire_events(10)');
  },
  'failures retry': async ({ one }) => void (await retryFailures(one.db.sql, HERE)),
  'failures drop': async ({ one }) => void (await dropFailures(one.db.sql, HERE)),
  'pause, probe, resume': WAYS['pause, probe, resume'].make,
  'apply: another account': WAYS['apply: another account'].make,
  rebind: WAYS.rebind.make,
};
