import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  DELIVERY_STATES,
  type DeliveryCell,
  type DeliveryHappening,
  type DeliveryState,
  type Doubt,
  type Impossible,
} from '../../../src/core/states/delivery.ts';
import { DELIVERIES } from '../../../src/core/states/delivery-table.ts';
import { nextDelivery } from './states/next.ts';
import { build, canDoubt, type Who } from './states/places.ts';
import { type Way, WAYS } from './states/happen.ts';
import { createSubject, type DeliveryFacts, isSound, stateOf, type Subject } from './states/subject.ts';

/** What the database shows where something cannot happen. */
const IMPOSSIBLE: Readonly<Record<Impossible, (facts: DeliveryFacts, subject: Subject) => boolean>> = {
  no_contact: ({ action, letter }) => action === null && letter === null,
  known: ({ action, letter }) => action !== null || letter !== null,
  no_lease: ({ token }, { held }) => token === null && held === undefined,
  never_there: ({ lane, there }) => lane !== null && lane >= 2 && there,
  wanted: ({ action, token }) => action !== 'none' || token !== null,
  not_deleted: ({ action }) => action !== 'delete',
  in_doubt: ({ doubt }) => doubt,
};

let subject: Subject;
let end: () => Promise<void>;

beforeAll(async () => {
  [subject, end] = await createSubject();
});
afterAll(() => end());

/** One cell, for a contact that is in doubt or not. Undefined when it is as it shall be, else what differs. */
async function check(
  state: DeliveryState,
  doubt: Doubt,
  happening: DeliveryHappening,
  make: Way['make'],
): Promise<string | undefined> {
  const { who, ofIdle } = WAYS[happening];
  const cell: DeliveryCell = DELIVERIES[happening][DELIVERY_STATES.indexOf(state)]!;
  const next = nextDelivery(cell, state, doubt);
  const as: Who | undefined = state === 'idle' ? (ofIdle ?? who) : who;
  const wrong = (what: string): string => `${happening} | ${state}, ${doubt}: ${what}`;
  await build(subject, state, doubt, 'no' in next ? undefined : as);
  const before = await subject.facts();
  if (stateOf(before, subject.held?.delivery.version).join() !== [state, doubt].join()) {
    return wrong(`is ${stateOf(before, subject.held?.delivery.version).join(', ')} before`);
  }
  if ('no' in next) return IMPOSSIBLE[next.no](before, subject) ? undefined : wrong(`is not impossible for ${next.no}`);
  const claimed = subject.held?.delivery.version;
  await make(subject);
  const facts = await subject.facts();
  const [after, doubtAfter] = stateOf(facts, subject.held?.delivery.version ?? claimed);
  if (after !== next.state || doubtAfter !== next.doubt) {
    return wrong(`${next.state}, ${next.doubt} expected, ${after}, ${doubtAfter} found`);
  }
  return isSound(facts) ? undefined : wrong(`unsound: ${JSON.stringify(facts)}`);
}

/** Each in doubt takes twice as long to make: every fourth one is made, and all of them where that is asked for. */
function inDoubtToo(happening: DeliveryHappening, state: DeliveryState): boolean {
  const place = Object.keys(WAYS).indexOf(happening) + DELIVERY_STATES.indexOf(state);
  return place % 4 === 0 || process.env['ROLLCALL_STATES'] === 'all';
}

describe('the table of deliveries is what the database does', () => {
  test.each(Object.entries(WAYS) as [DeliveryHappening, Way][])('%s', async (happening, { make, also }) => {
    const wrong: (string | undefined)[] = [];
    for (const way of also === undefined ? [make] : [make, also]) {
      for (const state of DELIVERY_STATES) {
        wrong.push(await check(state, 'sure', happening, way));
        if (canDoubt(state) && inDoubtToo(happening, state)) wrong.push(await check(state, 'doubtful', happening, way));
      }
    }
    expect(wrong.filter((each) => each !== undefined)).toEqual([]);
  });
});
