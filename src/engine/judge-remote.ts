import type { AttributePlan, Destination } from '../core/destination.ts';
import { comparing } from '../core/exports.ts';
import type { ComparedContact, FoundContact, Repair } from './remote-ports.ts';

/** What is wrong with one contact of ours at a destination; nothing of it is when all is empty. */
export interface Verdict {
  readonly contact: ComparedContact;
  /** In step here, and not there. */
  readonly missing: boolean;
  /** The one there that is this contact; undefined when it is missing. */
  readonly main: FoundContact | undefined;
  /** Attributes with other values there; `address` and `id` where those differ. */
  readonly stale: readonly string[];
  /** More contacts there at the same address, in another writing. */
  readonly twins: readonly FoundContact[];
  /** Contacts there at addresses that this one has left. */
  readonly old: readonly FoundContact[];
  /** `left_there`: unsubscribed there, not opted out here. `left_here`: the other way round. */
  readonly consent: 'left_there' | 'left_here' | undefined;
}

/** Compares a contact with what was found of it. Pure. Of one that is to be there alone it says that it is missing. */
export function judge(
  contact: ComparedContact,
  destination: Destination<unknown>,
  plan: AttributePlan,
  config: unknown,
): Verdict {
  const { action, address, remoteId, found } = contact;
  const here = found.filter((row) => row.plainAddress === address);
  const byId = found.find((row) => row.id !== null && row.id === remoteId);
  const main = here.find((row) => row.id === remoteId) ?? here[0] ?? byId;
  if (action !== 'upsert') {
    // Whoever left and is kept: nothing counts but the opt-out.
    const subscribed = action === 'unsubscribe' && found.some((row) => row.status === 'subscribed');
    return { ...nothing(contact), consent: subscribed ? 'left_here' : undefined };
  }
  const others = found.filter((row) => row !== main);
  const twins = others.filter((row) => row.plainAddress === address);
  const old = others.filter((row) => row.plainAddress !== address);
  if (main === undefined) return { ...nothing(contact), missing: true, consent: consentOf(contact, 'unknown') };
  const stale = [
    ...(main.plainAddress === address ? [] : ['address']),
    ...(remoteId === null || main.id === null || main.id === remoteId ? [] : ['id']),
    ...(comparing(destination)?.differs(contact.attributes, main, plan, config) ?? []),
  ];
  return { contact, missing: false, main, stale, twins, old, consent: consentOf(contact, main.status) };
}

function nothing(contact: ComparedContact): Verdict {
  return { contact, missing: false, main: undefined, stale: [], twins: [], old: [], consent: undefined };
}

/**
 * Of somebody who never said yes (`none`) the contact was made unsubscribed: that is no conflict. Neither is a later
 * subscription of theirs at the destination, nor one that is not mailed for a bounce alone.
 */
function consentOf(
  { consent, suppressed, bounced }: ComparedContact,
  status: FoundContact['status'],
): Verdict['consent'] {
  if (consent === 'basis' && (suppressed || (status === 'unsubscribed' && !bounced))) return 'left_there';
  return consent === 'opted_out' && !suppressed && status === 'subscribed' ? 'left_here' : undefined;
}

/** Whether everything is there as it shall be. */
export function isRight({ missing, stale, twins, old, consent }: Verdict): boolean {
  return !missing && consent === undefined && stale.length + twins.length + old.length === 0;
}

/**
 * What puts it right. Twins are left to a person: a destination may fold the case of addresses, and to remove one of two
 * could then remove the other.
 */
export function repairsOf({ contact, missing, main, stale, old, consent }: Verdict): readonly Repair[] {
  const of = { contact: contact.contactId, version: contact.version };
  const leftovers = addressesOf(old);
  // First: it changes no version, which the other one does.
  const repairs: Repair[] =
    consent === 'left_there' ? [{ kind: 'opted_out', ...of, places: leavingOf({ contact, main }) }] : [];
  if (missing) return [...repairs, { kind: 'anew', ...of, leftovers }];
  if (stale.length > 0 || leftovers.length > 0 || consent === 'left_here') {
    repairs.push({ kind: 'resend', ...of, leftovers, forgetId: stale.includes('id') });
  }
  return repairs;
}

/** What of the reading tells that somebody has left there. */
export function leavingOf({ contact, main }: Pick<Verdict, 'contact' | 'main'>): readonly string[] {
  return main?.status === 'unsubscribed' ? [...contact.told, main.place] : contact.told;
}

/** Each address once. */
export function addressesOf(rows: readonly FoundContact[]): readonly string[] {
  return [...new Set(rows.map((row) => row.plainAddress))];
}
