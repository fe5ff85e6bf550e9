import type { JsonObject } from '../core/json.ts';
import type { Story, StoryContact, StoryDestination, StoryRows } from '../sql/store/why.ts';
import { type Difference, differences } from './difference.ts';
import { adviceOn, type Beside } from './why-advice.ts';

/** What a contact is, or shall be, at a destination. */
interface State {
  readonly address: string | null;
  readonly consent: string | null;
  readonly attributes: JsonObject;
}

/** One destination's part of the story, with what follows from it. */
export interface ToldDestination extends StoryDestination {
  /** What was delivered last; null for nothing yet; undefined where that is not known any more. */
  readonly delivered: State | null | undefined;
  /** From what was delivered to what shall be there; empty in step, and where the one is not known. */
  readonly differs: readonly Difference[];
  /** From what shall be there to what the rows say by now: nobody has looked at that change yet. */
  readonly changed: readonly Difference[];
  readonly advice: readonly string[];
}

/** A whole story, ready to be shown. */
export interface Told extends Omit<Story, 'contacts'> {
  readonly rows: readonly StoryRows[];
  readonly contacts: readonly (Omit<StoryContact, 'destinations'> & {
    readonly destinations: readonly ToldDestination[];
  })[];
}

/** Puts together what is shown: what differs, and what to do. Pure. */
export function tell(story: Story, rows: readonly StoryRows[]): Told {
  const beside = { atWork: story.homes.some((home) => home.at_work), logWaits: story.log_waits };
  const contacts = story.contacts.map((contact) => ({
    ...contact,
    destinations: contact.destinations.map((one) => decided(one, contact)),
  }));
  return {
    ...story,
    rows,
    contacts: told(contacts).map((contact) => ({
      ...contact,
      destinations: contact.destinations.map((one) => toldDestination(one, { ...beside, contact })),
    })),
  };
}

/** Of whom no row makes a contact, and was none before, nothing is written down: that is decided too, once all changes were looked at. */
function decided(one: StoryDestination, { change_waits: waits }: StoryContact): StoryDestination {
  const verdict = one.now?.verdict;
  const none = one.action === null && one.due === null && !waits && (verdict === 'gone' || verdict === 'merged');
  return none ? { ...one, action: 'none', reason: verdict } : one;
}

/** Without an address that is, or was, a user's and makes nobody by itself: nothing of it is anywhere. */
function told(contacts: readonly StoryContact[]): readonly StoryContact[] {
  const nothing = ({ action, reason, due, failure, there, attempts }: StoryDestination): boolean =>
    action === 'none' &&
    due === null &&
    (reason === 'merged' || (reason === 'gone' && failure === null && there === null && attempts.length === 0));
  if (!contacts.some(({ user }) => user !== null)) return contacts;
  return contacts.filter(({ user, destinations }) => user !== null || !destinations.every(nothing));
}

function toldDestination(one: StoryDestination, beside: Omit<Beside, 'changed'>): ToldDestination {
  const shall = one.action === 'upsert' ? stateOf(one.address, one.consent, one.attributes) : null;
  const delivered = deliveredOf(one, shall);
  const differs = shall === null || delivered == null ? [] : between(delivered, shall);
  const changed = changedSince(one, shall);
  return { ...one, delivered, differs, changed, advice: adviceOn(one, { ...beside, changed: changed.length > 0 }) };
}

/** The last that was accepted. The database keeps it for as long as another state is due. */
function deliveredOf(one: StoryDestination, shall: State | null): State | null | undefined {
  if (one.delivered_version === null) return one.there === null ? null : undefined;
  if (one.delivered_version === one.version) return shall;
  const { was, there } = one;
  return was?.version === one.delivered_version
    ? stateOf(there?.address ?? one.address, was.consent, was.attributes)
    : undefined;
}

function changedSince({ now, action, reason }: StoryDestination, shall: State | null): readonly Difference[] {
  if (now === null || now.verdict === 'failed' || now.verdict === 'source_paused') return [];
  // Its rows make a contact of them; who else has the address is no matter of the rows.
  if (reason === 'address_taken') return [];
  if (now.verdict !== 'ok') {
    const none = { name: 'contact', after: now.verdict };
    return shall !== null ? [{ ...none, before: shall.address }] : action === null ? [none] : [];
  }
  const said = stateOf(now.address, now.consent, now.attributes);
  return between(shall ?? { address: null, consent: null, attributes: {} }, said);
}

/** The address and consent beside the attributes; a null is nothing. */
function between(before: State, after: State): readonly Difference[] {
  return [
    ...differences(present('address', before.address), present('address', after.address)),
    ...differences(present('consent', before.consent), present('consent', after.consent)),
    ...differences(before.attributes, after.attributes),
  ];
}

function present(name: string, value: string | null): JsonObject {
  return value === null ? {} : { [name]: value };
}

function stateOf(address: string | null, consent: string | null, attributes: JsonObject | null): State {
  return { address, consent, attributes: attributes ?? {} };
}
