import { randomUUID } from 'node:crypto';
import type { Outcome } from '../../../../src/core/outcome.ts';
import type { DeliveryHappening } from '../../../../src/core/states/delivery.ts';
import { dropFailures, retryFailures, tryAgain } from '../../../../src/sql/store/failures.ts';
import { createRemoteStore } from '../../../../src/sql/store/remote.ts';
import type { ComparedContact, RemoteReading } from '../../../../src/engine/remote-ports.ts';
import { REF } from '../support.ts';
import type { Who } from './places.ts';
import {
  change,
  claim,
  contactId,
  DELIVERED,
  edit,
  fail,
  giveBack,
  graceOver,
  hurry,
  order,
  REJECT,
  remove,
  settle,
  signUp,
  stopBrake,
  type Subject,
  takeAddress,
  UNKNOWN,
  WINDOW_MS,
} from './subject.ts';

const HERE = { destination: 'mailtrap' };

/** How something is made to happen. */
export interface Way {
  readonly make: (subject: Subject) => Promise<void>;
  /** Another way in which the same happens. */
  readonly also?: (subject: Subject) => Promise<void>;
  /** Whom it is about; `there` when absent. */
  readonly who?: Who;
  /** It makes a difference for whoever is idle only. */
  readonly ofIdle?: Who;
}

const leaseOver = (subject: Subject): Promise<void> =>
  subject.sql(`update rollcall.due set due_at = clock_timestamp() - interval '1 second' where token is not null`);

/** Claims for a request of many. */
const claimMany = async (subject: Subject): Promise<{ token: string; holder: string; holdMs: number } | undefined> => {
  const job = { token: randomUUID(), holder: randomUUID(), holdMs: 5_000 };
  const scope = { lane: 0, most: 10, mostBytes: 10_000, consents: ['basis'], atOnce: 99, jobMs: 60_000 } as const;
  const [delivery] = await subject.one.store.claimJob(subject.one.destination, job, scope);
  if (delivery === undefined) return undefined;
  const lease = { token: job.token, leaseMs: 60_000, graceMs: 120_000 };
  const claimed = {
    ...delivery,
    sendState: true,
    events: [],
    size: 0,
    tries: 0,
    lane: 0,
    dueAt: '-infinity',
    carryFrom: null,
  } as const;
  subject.held = { delivery: claimed, lease };
  return job;
};

/** As if what is in flight were in flight under the lease of a request for many. */
const asJob = async (subject: Subject): Promise<{ token: string; holder: string; holdMs: number }> => {
  const { delivery, lease } = subject.held!;
  const holder = randomUUID();
  await subject.sql(
    `insert into rollcall.jobs (token, destination_id, state, contacts, versions, addresses, holder, held_until, gives_up_at)
     values ($1, $2, 'sending', array[$3::bigint], array[$4::bigint], array['a@x.test'], $5, now() + interval '1 hour', now() + interval '1 hour')
     on conflict (token) do update set state = excluded.state, holder = excluded.holder, held_until = excluded.held_until`,
    [lease.token, subject.one.destination, delivery.contactId, delivery.version, holder],
  );
  return { token: lease.token, holder, holdMs: 5_000 };
};

/** Its lease runs out, and another worker claims it. */
const takeOver = async (subject: Subject): Promise<void> => {
  await leaseOver(subject);
  await claim(subject);
};

/** What came of a request of many, for all of it. */
const settleMany = async (subject: Subject, outcome: Outcome): Promise<void> => {
  const job = await asJob(subject);
  await subject.one.store.jobEnded(job, { outcome, waitMs: 0, windowMs: WINDOW_MS, latencyMs: 1 });
  await subject.one.store.settleJob(job, 120_000, 10);
};

/** What came of a request of many, for one of it. */
const settlePart = async (subject: Subject, outcome: Outcome): Promise<void> => {
  const { delivery } = subject.held!;
  await subject.one.store.settlePart(await asJob(subject), 120_000, [
    { delivery, outcome, waitMs: 0, windowMs: WINDOW_MS },
  ]);
};

const settleEvents = async (subject: Subject, missing: boolean): Promise<void> => {
  // Of one of whom nothing is wanted there any more only events are claimed.
  if (subject.held?.delivery.sendState === true) await takeOver(subject);
  const outcome: Outcome = missing
    ? { kind: 'retry', code: 'contact_missing', message: '', forgetRemote: true }
    : { kind: 'delivered' };
  const { delivery } = subject.held!;
  await settle(subject, undefined, { events: delivery.events.map(({ id }) => ({ id, outcome, latencyMs: 1 })) });
};

/** Reads what is there, and does something with each of our contacts. */
const reading = async (
  { one }: Subject,
  work: (
    store: ReturnType<typeof createRemoteStore>,
    reading: RemoteReading,
    contacts: readonly ComparedContact[],
  ) => Promise<void>,
): Promise<void> => {
  const { configHash, projectRef, environment } = {
    configHash: one.config.hash,
    projectRef: REF,
    environment: one.config.environment,
  };
  const store = createRemoteStore(one.db.sql, one.store, { configHash, projectRef, environment });
  // What was tried a moment ago is on the move for an audit.
  await one.db.app.query(`update rollcall.attempts set at = at - interval '1 hour'`);
  const read = await store.open(one.destination);
  await work(store, read, (await store.compare(read, '0', 100)).contacts);
  await store.close(read);
};

const audit = (subject: Subject, kind: 'resend' | 'opted_out'): Promise<void> =>
  reading(subject, async (store, read, contacts) => {
    const said = contacts.flatMap(({ address }) => (address === null ? [] : [address]));
    await store.addSuppressed(
      read,
      said.map((address) => ({ id: address, kind: 'opt_out', address, event: 'unsubscribe' })),
    );
    const { contacts: told } = await store.compare(read, '0', 100);
    const inStep = told.filter(({ progress }) => progress === 'in_step');
    const of = inStep.map(({ contactId: contact, version, told: places }) => ({ contact, version, places }));
    await store.repair(
      read,
      of.map(({ places, ...each }) =>
        kind === 'resend' ? { kind, ...each, leftovers: [], forgetId: false } : { kind, ...each, places },
      ),
    );
  });

const recover = (subject: Subject): Promise<void> =>
  reading(subject, async (store, read) => {
    await store.beginRecover();
    const { contacts } = await store.compare(read, '0', 100);
    await store.mark(
      read,
      contacts
        .filter(({ action }) => action === 'upsert')
        .map(({ contactId: contact, version }) => ({
          contact,
          version,
          found: true,
          equal: true,
          left: [],
          id: 'r1',
          leftovers: [],
        })),
    );
    await store.bind();
  });

const adopt = (subject: Subject): Promise<void> =>
  reading(subject, async (store, read, contacts) => {
    const ours = contacts.filter(({ action }) => action === 'upsert');
    const mark = { id: 'r1', equal: true, apart: false };
    await store.adopt(
      read,
      ours.map(({ contactId: contact, version }) => ({ contact, version, ...mark })),
    );
  });

/** In flight under somebody's lease is a request for the address that somebody else is about to take. */
const takeFlying = async (subject: Subject): Promise<void> => {
  const { key } = subject;
  subject.key = randomUUID();
  await signUp(subject, 'b@x.test');
  const other = subject.key;
  subject.key = key;
  // Nobody claims the one that this is about.
  await subject.sql(
    `update rollcall.due d set due_at = now() + interval '1 hour' from rollcall.contacts c where c.id = d.contact_id and d.token is null and c.key <> $1`,
    [other],
  );
  await subject.one.claim(10, { token: randomUUID(), leaseMs: 20_000, graceMs: 120_000 });
  await subject.sql(`update auth.users set email = 'c@x.test' where id = $1`, [other]);
  await subject.one.foldAll();
  await subject.sql(
    `insert into auth.users (id, email, raw_user_meta_data, created_at) values ($1, 'b@x.test', '{"yes": true}', now())
     on conflict (id) do update set email = excluded.email, raw_user_meta_data = auth.users.raw_user_meta_data - 'n'`,
    [key],
  );
  await subject.one.foldAll();
};

export const WAYS: Readonly<Record<DeliveryHappening, Way>> = {
  'signs up': { make: (subject) => signUp(subject) },
  'signs up, and is no contact yet': { make: (subject) => signUp(subject, null) },
  'opts out': { make: (subject) => edit(subject, { yes: false, n: null }) },
  'new values': { make: change },
  'nothing new': {
    async make(subject) {
      await subject.sql('select rollcall.capture(array[$1::text])', [subject.key]);
      await subject.one.foldAll();
    },
  },
  'new values, the brake has stopped': {
    async make(subject) {
      await subject.sql(`select rollcall.take_brake($1::smallint, 'changes')`, [subject.one.destination]);
      await subject.sql(`update rollcall.brakes set stopped_at = clock_timestamp()`);
      await change(subject);
    },
  },
  leaves: { make: remove },
  'leaves, the brake has stopped': {
    async make(subject) {
      await stopBrake(subject, 'deletes');
      await remove(subject);
    },
  },
  'leaves, and was never accepted': { make: remove, who: 'new' },
  'cannot be mapped': {
    async make(subject) {
      await subject.sql(
        `insert into auth.users (id, email, raw_user_meta_data, created_at) values ($1, 'a@x.test', '{}', now()) on conflict do nothing`,
        [subject.key],
      );
      await edit(subject, { n: 'y' });
    },
  },
  'can be mapped again, as it was accepted': { make: (subject) => edit(subject, { n: null }) },
  'can be mapped again, as it was not accepted': { make: (subject) => edit(subject, { n: null }), who: 'new' },
  'takes an address that is in flight': { make: takeFlying },
  'its address is taken while it waits to be deleted': { make: takeAddress, who: 'leaving' },
  claim: {
    async make(subject) {
      await hurry(subject);
      await claim(subject);
    },
  },
  'claim for a request of many': {
    async make(subject) {
      await hurry(subject);
      await claimMany(subject);
    },
  },
  'given back unsent': { make: giveBack },
  'taken out of a request of many': {
    async make(subject) {
      const job = await asJob(subject);
      await subject.one.store.releasePart(job, [subject.held!.delivery.contactId]);
    },
  },
  'request of many: nothing came of it': {
    async make(subject) {
      await subject.one.store.releaseJob(await asJob(subject), { waitMs: 1_000, failed: true, single: false });
    },
  },
  'lease runs out': { make: leaseOver },
  'lease has run out: claimed by another': { make: takeOver },
  'grace is over': { make: graceOver },
  'settle delivered': {
    make: (subject) => settle(subject, DELIVERED),
    also: (subject) => settleMany(subject, DELIVERED),
  },
  'settle retry': { make: (subject) => settle(subject, { kind: 'retry', code: 'http_503', message: '' }) },
  'settle throttle': { make: (subject) => settle(subject, { kind: 'throttle', code: 'http_429', message: '' }) },
  'settle reject': { make: (subject) => settle(subject, REJECT), also: (subject) => settlePart(subject, REJECT) },
  'settle config': { make: (subject) => settle(subject, { kind: 'config', code: 'unauthorized', message: '' }) },
  'settle unknown': { make: (subject) => settle(subject, UNKNOWN), also: (subject) => settleMany(subject, UNKNOWN) },
  'settle delivered, the grace is over': {
    async make(subject) {
      await graceOver(subject);
      await settle(subject, DELIVERED);
    },
  },
  'settle retry, the window is over': {
    async make(subject) {
      await fail(subject);
      await settle(subject, { kind: 'retry', code: 'http_503', message: '' });
    },
  },
  'settle unknown, the window is over': {
    async make(subject) {
      await fail(subject);
      await settle(subject, UNKNOWN);
    },
  },
  'settle retry, half of it accepted': {
    make: (subject) =>
      settle(subject, { kind: 'retry', code: 'http_503', message: '' }, { partial: { remoteId: undefined } }),
  },
  'settle retry, forget its id': {
    make: (subject) => settle(subject, { kind: 'retry', code: 'gone', message: '', forgetRemote: true }),
  },
  'settle under a lost lease': { make: (subject) => settle(subject, DELIVERED, {}, subject.lost) },
  'settle under a lost lease, of one who left': {
    make: (subject) => settle(subject, DELIVERED, {}, subject.lost),
    who: 'left',
  },
  'an event of it is ready': { make: order },
  'settle delivered, an event waits': {
    async make(subject) {
      await order(subject);
      await settle(subject, DELIVERED);
    },
  },
  'settle events alone': { make: (subject) => settleEvents(subject, false), who: 'eventful' },
  'settle events alone: gone there': { make: (subject) => settleEvents(subject, true), who: 'eventful' },
  'failures retry': { make: async ({ one }) => void (await retryFailures(one.db.sql, HERE)) },
  'failures retry, by name': {
    async make(subject) {
      await retryFailures(subject.one.db.sql, { ...HERE, contact: (await contactId(subject)) ?? '0' });
    },
  },
  'failures drop': { make: async ({ one }) => void (await dropFailures(one.db.sql, HERE)) },
  'brake stops': { make: (subject) => stopBrake(subject, 'changes') },
  release: {
    make: (subject) => subject.sql(`select rollcall.release_held($1, 'changes', 10)`, [subject.one.destination]),
  },
  'pause, probe, resume': {
    async make({ one }) {
      await one.store.pause(one.destination, 'unauthorized', 'Key?', 0);
      await one.store.takeProbe(one.destination, 0);
      await one.store.resume(one.destination);
    },
  },
  'apply: another config of it': {
    async make(subject) {
      await tryAgain(subject.one.db.sql, ['mailtrap']);
      await subject.one.foldAll();
    },
  },
  'apply: another account': {
    make: (subject) => subject.sql('select rollcall.send_again($1, true)', [subject.one.destination]),
  },
  rebind: { make: (subject) => subject.sql('select rollcall.send_again($1, false)', [subject.one.destination]) },
  'recover: found as it shall be': { make: recover },
  'adopt: found as it shall be': { make: adopt },
  'adopt: found as it shall be, and was never sent': { make: adopt, who: 'new' },
  'audit: other values there': { make: (subject) => audit(subject, 'resend') },
  'audit: has left there': { make: (subject) => audit(subject, 'opted_out') },
  'upkeep: nothing left of it': {
    make: (subject) => subject.sql('select rollcall.forget_contacts(100)'),
    ofIdle: 'left',
  },
};
