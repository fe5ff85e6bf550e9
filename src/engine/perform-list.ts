import type { RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Done, Requests, Sender } from './requests.ts';

/** Whoever is not there is made by an upsert, which says what they want of mail, and by nothing else. */
const VANISHED: Outcome = {
  kind: 'retry',
  code: 'contact_vanished',
  message: 'The contact was not found at the destination.',
  forgetRemote: true,
};

/**
 * Joins a contact that exists to a list. To join twice is to join, so an attempt without an answer is made again.
 * @returns undefined when nothing may be sent now
 */
export async function joinList(
  list: number | string,
  remote: RemoteContact,
  requests: Requests,
  { destination, config }: Pick<Sender, 'destination' | 'config'>,
): Promise<Done | undefined> {
  const members = destination.lists?.members;
  if (members === undefined || remote.address === null) {
    const message = `${destination.name} joins nobody to a list by address.`;
    return { outcome: { kind: 'reject', code: 'lists_not_joined', message }, latencyMs: 0 };
  }
  if (members.makesContacts === true && destination.lookup !== undefined) {
    const found = await requests.read(destination.lookup(remote, config));
    if (found === undefined || 'outcome' in found) return found;
    if (found.value === null) return { outcome: VANISHED, latencyMs: found.latencyMs };
  }
  const changed = await requests.read(members.change('add', list, [remote.address], config));
  if (changed === undefined || 'outcome' in changed) return changed;
  // Of one who is there, a vendor that names them as failed says that they were a member.
  return { outcome: { kind: 'delivered' }, latencyMs: changed.latencyMs };
}
