import type { DeliveryState, Doubt } from '../../../../src/core/states/delivery.ts';
import { dropFailures } from '../../../../src/sql/store/failures.ts';
import {
  change,
  claim,
  DELIVERED,
  edit,
  giveBack,
  hurry,
  order,
  REJECT,
  remove,
  reset,
  settle,
  signUp,
  stopBrake,
  type Subject,
  takeAddress,
  UNKNOWN,
} from './subject.ts';

/**
 * Who the contact is: `there` was delivered before and has changed; `new` was never there; `leaving` is to be deleted there; `left`
 * was; `eventful` is in step, and an event of it is to be sent.
 */
export type Who = 'there' | 'new' | 'leaving' | 'left' | 'eventful';

/** How a contact is brought into each state. */
type Build = (subject: Subject, who: Who, doubtful: boolean) => Promise<void>;

const needsSending: Readonly<Record<Who, (subject: Subject) => Promise<void>>> = {
  there: change,
  new: () => Promise.resolve(),
  leaving: remove,
  left: remove,
  eventful: order,
};

/** In step, or at least made known; a lease that it had once is over. */
async function known(subject: Subject, who: Who): Promise<void> {
  await signUp(subject);
  await claim(subject);
  await giveBack(subject);
  if (who === 'new') return;
  await claim(subject);
  await settle(subject, DELIVERED);
}

async function due(subject: Subject, who: Who, doubtful: boolean): Promise<void> {
  await known(subject, who);
  await needsSending[who](subject);
  if (!doubtful) return;
  await claim(subject);
  await settle(subject, UNKNOWN);
}

async function leased(subject: Subject, who: Who, doubtful: boolean): Promise<void> {
  await due(subject, who, doubtful);
  await hurry(subject);
  await claim(subject);
}

async function refused(subject: Subject, who: Who, doubtful: boolean): Promise<void> {
  await leased(subject, who, doubtful);
  await settle(subject, REJECT);
}

/** In flight, and something else since. */
async function changed(subject: Subject, who: Who, doubtful: boolean, between: () => Promise<void>): Promise<void> {
  await leased(subject, who === 'leaving' ? 'there' : who, doubtful);
  await between();
  await (who === 'leaving' ? remove : change)(subject);
}

const kindOf = (who: Who): 'deletes' | 'changes' => (who === 'leaving' ? 'deletes' : 'changes');

const BUILD: Readonly<Record<DeliveryState, Build>> = {
  absent: () => Promise.resolve(),
  async idle(subject, who) {
    if (who === 'new') return await signUp(subject, null);
    await known(subject, who);
    if (who !== 'left') return;
    await remove(subject);
    await claim(subject);
    await settle(subject, DELIVERED);
  },
  refused,
  async dropped(subject, who, doubtful) {
    await refused(subject, who, doubtful);
    await dropFailures(subject.one.db.sql, { destination: 'mailtrap' });
  },
  async unmapped(subject, who, doubtful) {
    await (doubtful || who === 'new' ? refused(subject, who, doubtful) : known(subject, who));
    await edit(subject, { n: 'x' });
  },
  due,
  leased,
  outdated: (subject, who, doubtful) => changed(subject, who, doubtful, () => Promise.resolve()),
  async void(subject, _, doubtful) {
    await leased(subject, 'leaving', doubtful);
    await takeAddress(subject);
  },
  async held(subject, who, doubtful) {
    await due(subject, who, doubtful);
    await stopBrake(subject, kindOf(who));
  },
  outdated_held: (subject, who, doubtful) => changed(subject, who, doubtful, () => stopBrake(subject, kindOf(who))),
};

/** Brings the contact into a state, from nothing. */
export async function build(subject: Subject, state: DeliveryState, doubt: Doubt, who: Who = 'there'): Promise<void> {
  await reset(subject);
  await BUILD[state](subject, who, doubt === 'doubtful');
}

/** Whether a state can be in doubt. */
export function canDoubt(state: DeliveryState): boolean {
  return state !== 'absent' && state !== 'idle';
}
