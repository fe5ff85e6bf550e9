import type { OutcomeKind } from '../outcome.ts';
import type { Columns } from './columns.ts';

/** Where one event for one destination can be, in the order of the columns of the table. */
export const EVENT_STATES = [
  'absent',
  'stored',
  'unready',
  'waiting',
  'queued',
  'sent',
  'delivered',
  'dead',
  'unmapped',
  'dropped',
] as const;

export type EventState = (typeof EVENT_STATES)[number];

/** Why something cannot happen in a state. */
export type EventImpossible =
  | 'captured'
  | 'not_captured'
  | 'not_sent'
  | 'ended'
  | 'not_stored'
  | 'never_there'
  | 'not_waiting';

/** What a state becomes; `=`: it stays. */
export type EventCell = '=' | EventState | { readonly no: EventImpossible };

/** Each state, in the order of the columns. */
export type EventRow = Columns<typeof EVENT_STATES, EventCell>;

type Captured =
  | 'captured, its contact is there'
  | 'captured, its contact is not there yet'
  | 'captured, and leads to nobody'
  | 'captured, and cannot be mapped'
  | 'captured, its table is paused'
  | 'captured in a part of the window'
  | 'its table can be read again'
  | 'the window is folded to its end';

type Sent =
  | 'its contact is accepted there'
  | 'claim of its contact'
  | 'given back unsent'
  | `settle ${OutcomeKind}`
  | 'settle retry, the window is over'
  | 'settle unknown, the window is over'
  | 'settle unknown, not to be repeated'
  | 'settle retry, its contact is gone there'
  | 'settle: its contact was not accepted'
  | 'settle delivered, under a lost lease'
  | 'settle reject, under a lost lease'
  | 'settle retry, under a lost lease'
  | 'lease has run out: claimed by another';

type Ended =
  | 'its contact is deleted there'
  | '72 hours are over'
  | 'a week is over'
  | 'failures retry'
  | 'failures drop'
  | 'pause, probe, resume'
  | 'apply: another account'
  | 'rebind';

export type EventHappening = Captured | Sent | Ended;
