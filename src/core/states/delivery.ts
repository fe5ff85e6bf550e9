import type { OutcomeKind } from '../outcome.ts';
import type { Columns } from './columns.ts';

/**
 * Where one delivery can be: what a contact shall be at a destination, and the row of the queue for it. The order is that of the
 * columns of the table.
 */
export const DELIVERY_STATES = [
  'absent',
  'idle',
  'refused',
  'dropped',
  'unmapped',
  'due',
  'leased',
  'outdated',
  'void',
  'held',
  'outdated_held',
] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

/**
 * Whether an attempt of unknown outcome may still arrive, or is yet to be followed by one that was accepted. It goes with every
 * state but those in which nothing was ever sent, or all is done.
 */
export type Doubt = 'sure' | 'doubtful';

/** Why something cannot happen in a state. */
export type Impossible = 'no_contact' | 'known' | 'no_lease' | 'never_there' | 'wanted' | 'not_deleted' | 'in_doubt';

type Move = '=' | DeliveryState | `${'=' | DeliveryState}${'?' | '!'}`;

/**
 * What a state becomes. `=`: it stays. A `?` behind it: in doubt from now on; a `!`: no longer in doubt; nothing: as before. Two of
 * them: when it was not in doubt, and when it was. A `no`: it cannot happen.
 */
export type DeliveryCell = Move | { readonly no: Impossible } | readonly [sure: DeliveryEnd, doubtful: DeliveryEnd];

type DeliveryEnd = Move | { readonly no: Impossible };

/** Each state, in the order of the columns. */
export type DeliveryRow = Columns<typeof DELIVERY_STATES, DeliveryCell>;

/** What the contact has become, when its rows are read again: by a trigger's word, a sweep, a backfill or a replay. */
type Folded =
  | 'signs up'
  | 'signs up, and is no contact yet'
  | 'new values'
  | 'opts out'
  | 'nothing new'
  | 'new values, the brake has stopped'
  | 'leaves'
  | 'leaves, the brake has stopped'
  | 'leaves, and was never accepted'
  | 'cannot be mapped'
  | 'can be mapped again, as it was accepted'
  | 'can be mapped again, as it was not accepted'
  | 'takes an address that is in flight'
  | 'its address is taken while it waits to be deleted';

/** What a lease goes through. */
type Leased =
  | 'claim'
  | 'claim for a request of many'
  | 'given back unsent'
  | 'taken out of a request of many'
  | 'request of many: nothing came of it'
  | 'lease runs out'
  | 'lease has run out: claimed by another'
  | 'grace is over';

/** What comes of an attempt: each outcome, and what makes a difference to it. */
type Settled =
  | `settle ${OutcomeKind}`
  | 'settle delivered, the grace is over'
  | 'settle retry, the window is over'
  | 'settle unknown, the window is over'
  | 'settle retry, half of it accepted'
  | 'settle retry, forget its id'
  | 'settle under a lost lease'
  | 'settle under a lost lease, of one who left';

/** What its events do to it. */
type Eventful =
  | 'an event of it is ready'
  | 'settle delivered, an event waits'
  | 'settle events alone'
  | 'settle events alone: gone there';

/** What a person does, or what concerns the destination. */
type Told =
  | 'failures retry'
  | 'failures retry, by name'
  | 'failures drop'
  | 'brake stops'
  | 'release'
  | 'pause, probe, resume'
  | 'apply: another config of it'
  | 'apply: another account'
  | 'rebind'
  | 'recover: found as it shall be'
  | 'adopt: found as it shall be'
  | 'adopt: found as it shall be, and was never sent'
  | 'audit: other values there'
  | 'audit: has left there'
  | 'upkeep: nothing left of it';

export type DeliveryHappening = Folded | Leased | Settled | Eventful | Told;
