import type { EventHappening, EventImpossible, EventRow, EventState } from './event.ts';

/** What each state is, in a few words. */
export const EVENT_MEANINGS: Readonly<Record<EventState, string>> = {
  absent: 'nothing was captured, or it is forgotten',
  stored: 'a row of `held_events`: its table is paused',
  unready: '`pending`, and the window of the log it was taken in is not folded to its end',
  waiting: '`pending`: its contact is not there yet',
  queued: '`pending`: its contact is there; one contact’s go in the order of the writer’s clock',
  sent: '`pending`, and handed out under the lease of its contact',
  delivered: 'the destination accepted it',
  dead: 'refused, or given up; the ones behind it go on',
  unmapped: '`dead`, as it could not be mapped: there is nothing that could be sent',
  dropped:
    '`no_contact_link`, `filtered`, `no_contact`, `contact_deleted`, `no_destination`, or `given_up` by a person',
};

/** Why something cannot happen. */
export const EVENT_IMPOSSIBLE: Readonly<Record<EventImpossible, string>> = {
  captured: 'it was captured already: read again, its id makes it the same',
  not_captured: 'there is no event',
  not_sent: 'it is not handed out',
  ended: 'it has ended',
  not_stored: 'it is not kept for its table',
  never_there: 'its contact is not there, or it is not taken to its end yet',
  not_waiting: 'its contact is there',
};

const HAD = { no: 'captured' } as const;
const NONE = { no: 'not_captured' } as const;
const OVER = { no: 'ended' } as const;
const READ = { no: 'not_stored' } as const;
const NOBODY = { no: 'never_there' } as const;
const THERE = { no: 'not_waiting' } as const;
const FREE = { no: 'not_sent' } as const;

/** It has been captured. */
const ONCE = [HAD, HAD, HAD, HAD, HAD, HAD, HAD, HAD, HAD] as const;
/** Whoever is not handed out is not settled. */
const UNSENT = [NONE, FREE, FREE, FREE, FREE] as const;
/** Whatever ended has no lease any more. */
const ENDED = [OVER, OVER, OVER, OVER] as const;

/**
 * Every happening in every state: a state or a happening without its cells does not compile.
 * `test/integration/database/event-states.test.ts` makes each of them happen.
 */
// oxfmt-ignore
export const EVENTS: Readonly<Record<EventHappening, EventRow>> = {
  //                                          absent stored unready waiting queued sent delivered dead unmapped dropped
  'captured, its contact is there':           ['queued', ...ONCE],
  'captured, its contact is not there yet':   ['waiting', ...ONCE],
  'captured, and leads to nobody':            ['dropped', ...ONCE],
  'captured, and cannot be mapped':           ['unmapped', ...ONCE],
  'captured, its table is paused':            ['stored', ...ONCE],
  'captured in a part of the window':         ['unready', ...ONCE],
  'its table can be read again':              [NONE, 'queued', READ, READ, READ, READ, READ, READ, READ, READ],
  'the window is folded to its end':          [NONE, '=', 'queued', '=', '=', '=', '=', '=', '=', '='],

  'its contact is accepted there':            [NONE, THERE, THERE, 'queued', THERE, THERE, THERE, THERE, THERE, THERE],
  'claim of its contact':                     [NONE, '=', '=', 'sent', 'sent', '=', '=', '=', '=', '='],
  'given back unsent':                        [...UNSENT, 'queued', ...ENDED],
  'settle delivered':                         [...UNSENT, 'delivered', ...ENDED],
  'settle retry':                             [...UNSENT, 'queued', ...ENDED],
  'settle throttle':                          [...UNSENT, 'queued', ...ENDED],
  'settle config':                            [...UNSENT, 'queued', ...ENDED],
  'settle unknown':                           [...UNSENT, 'queued', ...ENDED],
  'settle reject':                            [...UNSENT, 'dead', ...ENDED],
  'settle retry, the window is over':         [...UNSENT, 'dead', ...ENDED],
  'settle unknown, the window is over':       [...UNSENT, 'dead', ...ENDED],
  'settle unknown, not to be repeated':       [...UNSENT, 'dead', ...ENDED],
  'settle retry, its contact is gone there':  [...UNSENT, 'queued', ...ENDED],
  'settle: its contact was not accepted':     [...UNSENT, 'queued', ...ENDED],
  'settle delivered, under a lost lease':     [NONE, FREE, FREE, FREE, 'delivered', 'delivered', '=', '=', FREE, '='],
  'settle reject, under a lost lease':        [NONE, FREE, FREE, FREE, 'dead', 'dead', '=', '=', FREE, '='],
  'settle retry, under a lost lease':         [NONE, FREE, FREE, FREE, '=', '=', '=', '=', FREE, '='],
  'lease has run out: claimed by another':    [...UNSENT, '=', ...ENDED],

  'its contact is deleted there':             [NONE, '=', 'dropped', NOBODY, 'dropped', 'dropped', '=', '=', '=', '='],
  '72 hours are over':                        [NONE, '=', '=', 'dropped', '=', '=', '=', '=', '=', '='],
  'a week is over':                           [NONE, '=', '=', '=', '=', '=', 'absent', 'absent', 'absent', 'absent'],
  'failures retry':                           [NONE, '=', '=', '=', '=', '=', '=', 'queued', '=', '='],
  'failures drop':                            [NONE, '=', '=', '=', '=', '=', '=', 'dropped', 'dropped', '='],
  'pause, probe, resume':                     [NONE, '=', '=', '=', '=', '=', '=', '=', '=', '='],
  'apply: another account':                   [NONE, '=', '=', '=', 'waiting', 'waiting', '=', '=', '=', '='],
  'rebind':                                   [NONE, '=', '=', '=', '=', 'queued', '=', '=', '=', '='],
};
