import type { SandboxContact } from '../../../src/destinations/mailtrap/sandbox/views.ts';
import { canonical, canonicalText } from './canonical.ts';
import { groupBy } from './group-by.ts';
import type { History } from './history.ts';
import type { Policy } from './tables.ts';

/** What is looked at of a contact. */
export type FoundContact = Pick<SandboxContact, 'email' | 'status' | 'fields'>;

/** Every difference between the contacts there must be and those there are, in words. */
export function judgeContacts(history: History, found: readonly FoundContact[], policy: Policy): readonly string[] {
  const problems: string[] = [];
  const wanted = groupBy(history.contacts, (contact) => contact.address);
  const there = new Map(found.map((contact) => [contact.email, contact]));
  for (const [address, owners] of wanted) {
    const contact = there.get(address);
    if (contact === undefined) {
      problems.push(`no contact ${address} of ${owners.map((o) => o.key).join(' or ')}`);
      continue;
    }
    const fields = canonical(contact.fields);
    if (!owners.some((owner) => canonicalText(owner.fields) === fields)) {
      const choices = owners.map((owner) => `${owner.key}: ${canonicalText(owner.fields)}`).join(' or ');
      problems.push(`contact ${address} has ${fields} instead of ${choices}`);
    }
    if (contact.status !== 'subscribed' && policy !== 'unsubscribe')
      problems.push(`contact ${address} is unsubscribed`);
  }
  for (const contact of found) {
    if (!wanted.has(contact.email)) problems.push(...judgeExtra(history, contact, policy));
  }
  return problems;
}

/** A contact nobody has any more: right only of somebody who left, where those stay. */
function judgeExtra(history: History, contact: FoundContact, policy: Policy): readonly string[] {
  if (policy === 'delete') return [`contact ${contact.email} should not be there`];
  const now = new Set(history.contacts.map((wanted) => wanted.key));
  const left = history.states.some((state) =>
    Object.entries(state.living).some(([key, address]) => address === contact.email && !now.has(key)),
  );
  if (!left) return [`contact ${contact.email} is nobody's who left`];
  if (policy === 'unsubscribe' && contact.status !== 'unsubscribed') {
    return [`contact ${contact.email} of somebody who left is still subscribed`];
  }
  return [];
}
