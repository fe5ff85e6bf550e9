import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DELIVERY_STATES,
  type DeliveryHappening,
  type DeliveryState,
  type Doubt,
} from '../../../src/core/states/delivery.ts';
import { DELIVERIES } from '../../../src/core/states/delivery-table.ts';
import { nextDelivery } from './states/next.ts';
import { WAYS } from './states/happen.ts';
import { createSubject, type DeliveryFacts, isSound, reset, stateOf, type Subject } from './states/subject.ts';

type May = (facts: DeliveryFacts, subject: Subject) => boolean;

const always: May = () => true;

/** Happenings that may come in any order, and of whom each may. Those with events are in events-states.test.ts. */
const STEPS: Readonly<Partial<Record<DeliveryHappening, May>>> = {
  'signs up': ({ action, letter }) => action === null && letter === null,
  'new values': ({ action }) => action !== null,
  'new values, the brake has stopped': ({ action, there, delivered }) =>
    action === 'upsert' && there && delivered !== null,
  'nothing new': always,
  leaves: ({ action, there }) => action === 'upsert' && there,
  'cannot be mapped': ({ action }) => action === 'upsert',
  claim: always,
  'claim for a request of many': ({ action }) => action === 'upsert',
  'given back unsent': always,
  'taken out of a request of many': always,
  'request of many: nothing came of it': always,
  'lease has run out: claimed by another': always,
  'grace is over': always,
  'settle delivered': always,
  'settle delivered, the grace is over': always,
  'settle retry': always,
  'settle retry, forget its id': always,
  'settle retry, the window is over': always,
  'settle throttle': always,
  'settle config': always,
  'settle reject': always,
  'settle unknown': always,
  'settle unknown, the window is over': always,
  'settle under a lost lease': ({ action }, { lost }) => action !== 'none' && lost?.delivery.sendState === true,
  'failures retry': always,
  'failures retry, by name': always,
  'failures drop': always,
  'brake stops': always,
  release: always,
  'pause, probe, resume': always,
  'apply: another config of it': always,
  'apply: another account': ({ action }) => action === 'upsert',
  rebind: ({ action }) => action !== 'none',
};

/** The rows that apply instead, once a contact has failed for its whole window, or its grace is over. */
const LAST: Readonly<Partial<Record<DeliveryHappening, DeliveryHappening>>> = {
  'settle retry': 'settle retry, the window is over',
  'settle retry, forget its id': 'settle retry, the window is over',
  'settle unknown': 'settle unknown, the window is over',
};
const AFTER: Readonly<Partial<Record<DeliveryHappening, DeliveryHappening>>> = {
  'settle delivered': 'settle delivered, the grace is over',
};

/**
 * The rows that may apply. What a brake holds is counted by the hour, so a brake that is on may let one pass: see
 * brakes-property.test.ts.
 */
function rowsOf(happening: DeliveryHappening, { braked, over, failing }: DeliveryFacts): readonly DeliveryHappening[] {
  if (happening === 'brake stops') return [happening, 'nothing new'];
  if (happening === 'new values, the brake has stopped' || (happening === 'new values' && braked))
    return ['new values', 'new values, the brake has stopped'];
  return [(failing ? LAST[happening] : undefined) ?? (over ? AFTER[happening] : undefined) ?? happening];
}

/** Whether a request of many leaves it to others: to those for one, or for another lane. */
const leavesIt = (happening: DeliveryHappening, { lane, fits }: DeliveryFacts): boolean =>
  happening === 'claim for a request of many' && !(lane === 0 && fits);

const LETTERS: readonly DeliveryState[] = ['refused', 'dropped', 'unmapped'];

/** What the table allows, told from how things stand before. */
function allowed(
  happening: DeliveryHappening,
  facts: DeliveryFacts,
  [state, doubt]: readonly [DeliveryState, Doubt],
): readonly string[] {
  if (leavesIt(happening, facts)) return [`${state}, ${doubt}`];
  return rowsOf(happening, facts).flatMap((row) => {
    const cell = DELIVERIES[row][DELIVERY_STATES.indexOf(state)]!;
    const next = nextDelivery(cell, state, doubt);
    if ('no' in next) return [];
    if (next.state === 'leased' && facts.action === 'none') return [`void, ${next.doubt}`];
    // Of whom cannot be mapped by then the mapping is told.
    const to = facts.letter === 'map' && ['idle', 'refused'].includes(next.state) ? 'unmapped' : next.state;
    if (!LETTERS.includes(to)) return [`${to}, ${next.doubt}`];
    // A letter keeps a doubt only while something may still arrive, and so does one of mapping that stands beside the queue.
    const old = facts.over && nextDelivery(cell, state, 'sure');
    return [`${to}, ${old && 'doubt' in old && old.doubt === 'sure' ? 'sure' : next.doubt}`];
  });
}

/** Plays what may happen now; what went wrong, if anything did. */
async function play(subject: Subject, happenings: readonly DeliveryHappening[]): Promise<string | undefined> {
  await reset(subject);
  const story: string[] = [];
  for (const happening of happenings) {
    const facts = await subject.facts();
    const before = stateOf(facts, subject.held?.delivery.version);
    const may = allowed(happening, facts, before);
    if (may.length === 0 || STEPS[happening]?.(facts, subject) !== true) continue;
    const claimed = subject.held?.delivery.version;
    await WAYS[happening].make(subject);
    const now = await subject.facts();
    const after = stateOf(now, subject.held?.delivery.version ?? claimed).join(', ');
    if (now.token === null) subject.held = undefined;
    story.push(`${happening} -> ${after}`);
    if (!may.includes(after) || !isSound(now))
      return `${story.join('; ')}; not ${may.join(' or ')}: ${JSON.stringify(now)}`;
  }
  return undefined;
}

test('whatever happens in whatever order: each step is one that the table has, and nothing is forgotten', async () => {
  const [subject, end] = await createSubject();
  const names = Object.keys(STEPS) as DeliveryHappening[];
  const likely = fc.constantFrom<DeliveryHappening>('signs up', 'new values', 'claim', 'settle delivered');
  const step = fc.oneof({ weight: 1, arbitrary: likely }, { weight: 2, arbitrary: fc.constantFrom(...names) });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (happenings) => {
        expect(await play(subject, ['signs up', ...happenings])).toBeUndefined();
      }),
      {
        numRuns: Number(process.env['ROLLCALL_STATES_RUNS'] ?? 20),
        seed: Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1),
      },
    );
  } finally {
    await end();
  }
});
