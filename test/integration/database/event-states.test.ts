import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  EVENT_STATES,
  type EventHappening,
  type EventImpossible,
  type EventState,
} from '../../../src/core/states/event.ts';
import { EVENTS } from '../../../src/core/states/event-table.ts';
import { EVENT_WAYS } from './states/event-happen.ts';
import { buildEvent, type EventFacts, eventFacts, eventStateOf } from './states/event-places.ts';
import { createSubject, type Subject } from './states/subject.ts';

/** What the database shows where something cannot happen. */
const IMPOSSIBLE: Readonly<Record<EventImpossible, (facts: EventFacts, subject: Subject) => boolean>> = {
  captured: ({ state, stored }) => state !== null || stored,
  not_captured: ({ state, stored }) => state === null && !stored,
  not_sent: ({ leased }, { held }) => !leased && held === undefined,
  ended: ({ state }) => state !== 'pending',
  not_stored: ({ stored }) => !stored,
  never_there: ({ there, ready }) => !there || !ready,
  not_waiting: ({ state, there, ready }) => state !== 'pending' || there || !ready,
};

let subject: Subject;
let end: () => Promise<void>;

beforeAll(async () => {
  [subject, end] = await createSubject();
});
afterAll(() => end());

/** One cell. Undefined when it is as it shall be, else what differs. */
async function check(state: EventState, happening: EventHappening): Promise<string | undefined> {
  const wrong = (what: string): string => `${happening} | ${state}: ${what}`;
  const cell = EVENTS[happening][EVENT_STATES.indexOf(state)]!;
  await buildEvent(subject, state);
  const handed = (): boolean => (subject.held?.delivery.events.length ?? 0) > 0;
  const before = await eventFacts(subject);
  if (eventStateOf(before, handed()) !== state) return wrong(`is ${eventStateOf(before, handed())} before`);
  if (typeof cell !== 'string')
    return IMPOSSIBLE[cell.no](before, subject) ? undefined : wrong(`is not impossible for ${cell.no}`);
  await EVENT_WAYS[happening](subject);
  const after = eventStateOf(await eventFacts(subject), handed());
  return after === (cell === '=' ? state : cell) ? undefined : wrong(`${cell} expected, ${after} found`);
}

describe('the table of events is what the database does', () => {
  test.each(Object.keys(EVENT_WAYS) as EventHappening[])('%s', async (happening) => {
    const wrong: (string | undefined)[] = [];
    for (const state of EVENT_STATES) wrong.push(await check(state, happening));
    expect(wrong.filter((each) => each !== undefined)).toEqual([]);
  });
});
