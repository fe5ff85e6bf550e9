import type { Outcome } from '../core/outcome.ts';
import { retryDelayMs, throttleMs } from '../core/retry.ts';
import { leftThere } from './perform-erase.ts';
import { giveBack, isPaused, type LaneShared, type Leased } from './lane-shared.ts';
import { note } from './note.ts';
import { perform, type Performed } from './perform.ts';
import type { Claimed } from './ports.ts';
import type { Answered } from './requests.ts';
import type { Settler } from './settler.ts';
import { codeOf } from './trouble.ts';

type Begun = Extract<Performed, { begun: true }>;

const IDLE_MS = 1_000;

/** One request in flight at a time, from the lane's queue, until the signal aborts. */
export async function runSlot(lane: LaneShared, settler: Settler): Promise<void> {
  const { queue, filled, claimable, signal } = lane;
  while (!signal.aborted) {
    await settler.room(signal);
    const next = queue.shift(lane.backfilling < lane.backfillSlots && lane.backfillWaiting < lane.backfillWaits);
    if (next === undefined) {
      await filled.wait(IDLE_MS, signal);
      continue;
    }
    if (lane.behind && queue.length <= lane.budget / 2) claimable.ring();
    const { lane: of, size } = next.delivery;
    lane.busy += 1;
    lane.busySize += size;
    lane.backfilling += of;
    try {
      await deliver(lane, settler, next);
    } finally {
      lane.busy -= 1;
      lane.busySize -= size;
      lane.backfilling -= of;
      // Another slot may have been held back.
      if (of === 1 && queue.length > 0) filled.ring();
    }
  }
}

async function deliver(lane: LaneShared, settler: Settler, next: Leased): Promise<void> {
  const { delivery, lease } = next;
  const begunAt = performance.now();
  const performed = await attempt(lane, next);
  if (!performed.begun) {
    await giveBack(lane, [next]);
    return;
  }
  const { state, events } = performed;
  // First of all, so that nothing that fails below can lose what happened.
  settler.add(lease, {
    // Without what was sent: answers may pile up while the database is away.
    delivery: { ...delivery, attributes: {}, events: [] },
    outcome: state?.outcome,
    events,
    waitMs: waitMs(delivery, performed, lane),
    windowMs: lane.retry.windowMs,
    latencyMs: state?.latencyMs ?? 0,
    partial: state?.partial,
    foundAt: state?.foundAt,
  });
  logAttempts(lane, delivery, performed);
  try {
    for (const { outcome, traffic } of distinct(performed.answers)) await note(lane, outcome, begunAt, traffic);
  } catch (error) {
    lane.log.warn(
      { destination: lane.state.name, code: codeOf(error) },
      'could not record what a destination asked for',
    );
  }
}

/** A line for the state and one for each event; names and ids only, as properties may hold personal data. */
function logAttempts({ log, state: { name } }: LaneShared, delivery: Claimed, { state, events }: Begun): void {
  const said = (outcome: Outcome, latencyMs: number): object => ({
    outcome: outcome.kind,
    ...(outcome.kind === 'delivered' ? {} : { code: outcome.code }),
    ms: Math.round(latencyMs),
  });
  const { contactId: contact, version, action } = delivery;
  const ofEvents = events.map(({ id, outcome, latencyMs }): Line => [
    'event attempt',
    { destination: name, contact, event: id, ...said(outcome, latencyMs) },
  ]);
  const ofState: Line[] =
    state === undefined
      ? []
      : [['attempt', { destination: name, contact, version, action, ...said(state.outcome, state.latencyMs) }]];
  const inOrder = action === 'delete' ? [...ofEvents, ...ofState] : [...ofState, ...ofEvents];
  for (const [message, fields] of inOrder) log.debug(fields, message);
}

type Line = readonly [message: string, fields: object];

/** One answer of each kind, in order: ten events that were throttled say no more than one. */
function distinct(answers: readonly Answered[]): readonly Answered[] {
  return [...new Map(answers.map((answer) => [`${answer.outcome.kind} ${answer.traffic}`, answer])).values()];
}

/** A mistake of ours with one record must not take the lane down, nor leave the record without a trace. */
async function attempt(lane: LaneShared, { delivery, until }: Leased): Promise<Performed> {
  const { times, signal } = lane;
  const limiters = delivery.lane === 0 ? lane.limiters : lane.backfillLimiters;
  // The first request gets its full time; a further one what is left of the lease.
  const lastStart = {
    first: until - times.settleMs - times.requestMs,
    more: until - times.settleMs - times.leastRequestMs,
  };
  const onMistake = (error: unknown): void => {
    lane.log.error(
      { destination: lane.state.name, contact: delivery.contactId, code: codeOf(error) },
      'a contact could not be sent because of a mistake in Rollcall; please report it',
    );
  };
  try {
    return await perform(delivery, {
      destination: lane.destination,
      config: lane.config,
      plan: lane.state.plan,
      bytesPerRequest: lane.limits.bytesPerRequest,
      send: lane.send,
      eventsAtMostOnce: lane.eventsAtMostOnce,
      deadlineMs: () => Math.min(times.requestMs, until - times.settleMs - performance.now()),
      permit: async (which, traffic) =>
        (await waiting(lane, delivery, limiters.acquire(traffic, lastStart[which], signal))) && !isPaused(lane),
      onOptOut: (address) => lane.facts.receive(lane.state.name, [leftThere(address)]),
      onMistake,
    });
  } catch (error) {
    onMistake(error);
    return mistaken(delivery);
  }
}

/** Counts whoever of the backfill waits for a permit. */
async function waiting<T>(lane: LaneShared, delivery: Claimed, permit: Promise<T>): Promise<T> {
  if (delivery.lane === 0) return await permit;
  lane.backfillWaiting += 1;
  try {
    return await permit;
  } finally {
    lane.backfillWaiting -= 1;
    if (lane.queue.length > 0) lane.filled.ring();
  }
}

/** What to record when nobody knows what was sent. */
function mistaken({ sendState, events: [first] }: Claimed): Performed {
  const message = 'A mistake in Rollcall stopped this attempt; please report it.';
  const outcome: Outcome = { kind: 'unknown', code: 'internal', message };
  const state = sendState ? { outcome, latencyMs: 0 } : undefined;
  const events = sendState || first === undefined ? [] : [{ id: first.id, outcome, latencyMs: 0 }];
  return { begun: true, state, events, answers: [], stopped: { outcome, by: sendState ? 'state' : 'event' } };
}

/** How long until the next attempt, in ms. A state and each event count their own attempts. */
function waitMs(
  { tries, events: claimed }: Claimed,
  { stopped, events }: Begun,
  { retry, random }: Pick<LaneShared, 'retry' | 'random'>,
): number {
  if (stopped === undefined) return 0;
  const { outcome, by } = stopped;
  if (outcome.kind === 'delivered' || outcome.kind === 'reject' || outcome.kind === 'config') return 0;
  // An attempt of unknown outcome is followed by one with the current state at once; an event is what it was.
  if (outcome.kind === 'unknown' && by === 'state' && tries === 0) return 0;
  const { retryAfterMs } = outcome;
  if (outcome.kind === 'throttle')
    return throttleMs(retry, retryAfterMs) * (retryAfterMs === undefined ? 0.5 + random() : 1);
  const failed = by === 'state' ? undefined : events.find((event) => event.outcome === outcome)?.id;
  const before = failed === undefined ? tries : (claimed.find(({ id }) => id === failed)?.tries ?? 0);
  return retryDelayMs(retry, { tries: before + 1, random: random(), retryAfterMs });
}
