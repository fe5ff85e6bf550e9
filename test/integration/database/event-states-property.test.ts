import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVENT_STATES, type EventHappening, type EventState } from '../../../src/core/states/event.ts';
import { EVENTS } from '../../../src/core/states/event-table.ts';
import { EVENT_WAYS } from './states/event-happen.ts';
import { type EventFacts, eventFacts, eventStateOf, there } from './states/event-places.ts';
import {
  createSubject,
  type DeliveryFacts,
  giveBack,
  graceOver,
  hurry,
  isSound,
  reset,
  type Subject,
} from './states/subject.ts';

/** How the event and its contact stand. */
interface Both {
  readonly state: EventState;
  readonly event: EventFacts;
  readonly contact: DeliveryFacts;
  /** A lease that is over had the event. */
  readonly lost: boolean;
}

type May = (both: Both) => boolean;

const always: May = () => true;
const wanted: May = ({ contact }) => contact.action === 'upsert';
const wasLost: May = ({ lost }) => lost;

/** How it begins. */
const BEGINNINGS: readonly EventHappening[] = [
  'captured, its contact is there',
  'captured, its contact is not there yet',
  'captured, and leads to nobody',
  'captured, and cannot be mapped',
  'captured, its table is paused',
  'captured in a part of the window',
];

/** Happenings that may come in any order, and when each may. */
const STEPS: Readonly<Partial<Record<EventHappening, May>>> = {
  'captured, its contact is there': ({ contact }) => contact.there && contact.token === null,
  'its table can be read again': wanted,
  'the window is folded to its end': always,
  'its contact is accepted there': ({ contact }) => contact.action === 'upsert' && contact.token === null,
  // A person may want an event of somebody deleted tried again: it waits, and is dropped in the end.
  'claim of its contact': ({ state, contact }) => state !== 'waiting' || contact.lane !== null,
  'given back unsent': always,
  'settle delivered': always,
  'settle retry': always,
  'settle throttle': always,
  'settle config': always,
  'settle unknown': always,
  'settle reject': always,
  'settle retry, the window is over': always,
  'settle unknown, the window is over': always,
  'settle unknown, not to be repeated': always,
  'settle retry, its contact is gone there': always,
  'settle: its contact was not accepted': always,
  'settle delivered, under a lost lease': wasLost,
  'settle reject, under a lost lease': wasLost,
  'settle retry, under a lost lease': wasLost,
  'lease has run out: claimed by another': always,
  'its contact is deleted there': ({ contact }) => contact.action === 'upsert' && contact.there,
  '72 hours are over': ({ state, contact }) => contact.there || state === 'waiting',
  'a week is over': always,
  'failures retry': always,
  'failures drop': always,
  'pause, probe, resume': always,
  'apply: another account': always,
  rebind: always,
};

/** After these the contact is where it was: the event waits for it, unless it is there. */
const CONTACT_STAYS: ReadonlySet<EventHappening> = new Set([
  'its table can be read again',
  'the window is folded to its end',
  'given back unsent',
  'settle: its contact was not accepted',
  'failures retry',
  'rebind',
]);

const has = (held: Subject['held'], { id }: EventFacts): boolean =>
  held?.delivery.events.some((event) => event.id === id) === true;

async function look(subject: Subject): Promise<Both> {
  const event = await eventFacts(subject);
  const state = eventStateOf(event, has(subject.held, event));
  return { state, event, contact: await subject.facts(), lost: has(subject.lost, event) };
}

/** Whatever waits is on its way: somebody will claim its contact, or its wait ends. Nor may its contact be forgotten. */
function isOnItsWay({ state, contact }: Both): boolean {
  const queued = contact.lane !== null;
  const contactOnly = contact.action === null || isSound(contact);
  return contactOnly && (state === 'queued' || (state === 'waiting' && contact.action === 'upsert') ? queued : true);
}

/** What the table says comes of it; undefined when it cannot happen. */
function expected(happening: EventHappening, { state, contact }: Both): EventState | undefined {
  const cell = EVENTS[happening][EVENT_STATES.indexOf(state)]!;
  if (typeof cell !== 'string') return undefined;
  if (cell === '=') return state;
  return cell === 'queued' && CONTACT_STAYS.has(happening) && !contact.there ? 'waiting' : cell;
}

/** Plays what may happen now; what went wrong, if anything did. */
async function play(subject: Subject, happenings: readonly EventHappening[]): Promise<string | undefined> {
  await subject.sql(`select rollcall.resume_source('public.orders')`);
  await reset(subject);
  await there(subject);
  const story: string[] = [];
  for (const happening of happenings) {
    const before = await look(subject);
    const next = expected(happening, before);
    if (next === undefined || (story.length > 0 && STEPS[happening]?.(before) !== true)) continue;
    if (happening === 'its contact is accepted there') await hurry(subject);
    if (happening === 'its contact is deleted there') await graceOver(subject);
    await EVENT_WAYS[happening](subject);
    let after = await look(subject);
    story.push(`${happening} -> ${after.state}`);
    if (after.contact.token === null && subject.held !== undefined) {
      subject.lost = subject.held;
      subject.held = undefined;
    } else if (subject.held !== undefined && after.state !== 'sent') {
      // Nothing of it is left to be sent.
      await giveBack(subject);
      after = await look(subject);
    }
    const isOver = happening === '72 hours are over' && !before.contact.there;
    if (after.state !== next || (!isOver && !isOnItsWay(after)))
      return `${story.join('; ')}; not ${next}: ${JSON.stringify(after)}`;
    // Nobody is on the way there any more: see EVENT_WAYS.
    if (isOver) break;
  }
  return undefined;
}

test('whatever becomes of an event and its contact: each step is one that the table has, and nothing that waits is forgotten', async () => {
  const [subject, end] = await createSubject();
  const likely = fc.constantFrom<EventHappening>('claim of its contact', 'its contact is accepted there');
  const names = Object.keys(STEPS) as EventHappening[];
  const step = fc.oneof({ weight: 1, arbitrary: likely }, { weight: 3, arbitrary: fc.constantFrom(...names) });
  const beginning = fc.constantFrom(...BEGINNINGS);
  try {
    await fc.assert(
      fc.asyncProperty(beginning, fc.array(step, { minLength: 10, maxLength: 50 }), async (first, happenings) => {
        expect(await play(subject, [first, ...happenings])).toBeUndefined();
      }),
      {
        numRuns: Number(process.env['ROLLCALL_STATES_RUNS'] ?? 25),
        seed: Number(process.env['ROLLCALL_CHAOS_SEED'] ?? 1),
      },
    );
  } finally {
    await end();
  }
});
