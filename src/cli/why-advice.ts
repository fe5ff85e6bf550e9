import type { StoryContact, StoryDestination } from '../sql/store/why.ts';
import { adviceFor } from './failure-advice.ts';
import { pauseHint } from './status-problems.ts';

/** Why somebody is no contact at a destination, and what would make them one. */
const REASONS: Readonly<Record<string, string>> = {
  unconfirmed:
    'The address is not confirmed yet. They are sent once it is; `unconfirmed: true` in the mapping sends them before.',
  anonymous: 'An anonymous user has no address. They are sent once they have one.',
  no_address: 'There is no address that could be sent. They are sent once they have one.',
  banned: 'The user is banned (banned_until). They are sent again once that is over.',
  soft_deleted: 'The user was deleted in Supabase Auth (deleted_at).',
  gone: 'There is no user and no row that makes a contact of them.',
  filtered: 'A condition of the config (`where`) is not true of them.',
  not_synced:
    'Users are no contacts by themselves (`sync.users: false`), and no row of a table makes one of this user.',
  merged: 'Somebody who is known by an address alone gives way to the user who has it.',
  address_taken: 'Somebody else has the address at this destination. They get it once that contact has left or moved.',
  source_paused: 'A table that says whether they may be mailed cannot be read: `rollcall status` says which.',
  unmapped: 'A value of theirs does not fit the mapping.',
  erased: 'They were erased, or are being erased: `rollcall erase --list`.',
};

const START = 'Nobody delivers: run `rollcall start`.';
/** Lanes from here on are held by a brake: deletions, then changes. */
const HELD = 2;

/** What else of a story the advice depends on. */
export interface Beside {
  readonly contact: Pick<StoryContact, 'contact' | 'change_waits' | 'error'>;
  /** The rows say something else than what shall be there. */
  readonly changed: boolean;
  /** Something is in the log, of anybody. */
  readonly logWaits: boolean;
  /** Some home delivers. */
  readonly atWork: boolean;
}

/** What to do about one destination, the most urgent first; nothing where all is as it shall be. Pure. */
export function adviceOn(one: StoryDestination, { contact, changed, logWaits, atWork }: Beside): readonly string[] {
  const found: string[] = [];
  const { failure, due, paused, destination } = one;
  if (failure !== null) {
    found.push(
      failure.dropped_at === null
        ? adviceFor({ ...failure, type: one.type })
        : `Somebody has dropped it: \`rollcall failures retry --contact ${contact.contact ?? ''}\` tries it again.`,
    );
  } else if (one.reason !== null && one.action !== 'upsert') found.push(reasonText(one.reason));
  if (paused !== null) found.push(`The destination is paused. ${pauseHint(destination, paused)}`);
  if (due !== null && due.lane >= HELD) {
    found.push(`A brake holds it: \`rollcall status\` says why, \`rollcall release\` lets it go.`);
  } else if (due !== null && paused === null) found.push(...waiting(due, atWork));
  if (contact.error !== null) found.push('The rows cannot be read now: `rollcall doctor` says why.');
  else if (contact.change_waits || one.action === null || (changed && logWaits)) {
    found.push(atWork ? 'A worker looks at it within seconds.' : `Nobody has looked at it yet. ${START}`);
  } else if (changed) {
    found.push('The rows have changed unseen: a sweep finds that, at the latest. `rollcall sweep` does it now.');
  }
  return found;
}

/** Why somebody is no contact, in whole sentences. @param reason as `desired.reason` and the verdicts of mappings have it */
export function reasonText(reason: string): string {
  return (Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined) ?? `They are no contact there: ${reason}.`;
}

function waiting(due: NonNullable<StoryDestination['due']>, atWork: boolean): readonly string[] {
  if (!atWork) return [START];
  if (due.unknown_until !== null) return ['An attempt got no answer, so it is sent once more. Nothing to do.'];
  return due.tries > 0 ? ['It is tried again by itself.'] : [];
}
