import type { ShownContact } from '../../../src/sandbox/stand-in.ts';
import { type FoundContact, judgeContacts as differences } from '../interleaving/judge-contacts.ts';
import type { Evidence } from './evidence.ts';
import { DESTINATIONS } from './plan.ts';

/** Every destination holds exactly what plain SQL over the app's tables says, with the newest number, and nothing of a former owner. */
export function judgeContacts({ plan, history, numbers, owners, contacts, optOuts }: Evidence): readonly string[] {
  const { policy } = plan.setup;
  return DESTINATIONS.flatMap((destination) => {
    const out = new Set(optOuts.filter((each) => each.destination === destination).map((each) => each.address));
    // Who said no there where we had put nobody is a contact of the destination's own.
    const found = contacts[destination].filter(
      ({ address, attributes }) => !out.has(address) || Object.keys(attributes).length > 0,
    );
    const wanted = new Set(history.contacts.map(({ address }) => address));
    const as = (contact: ShownContact): FoundContact => {
      const { N: _n, OWNER: _o, ...fields } = contact.attributes;
      // Who said no there stays so; that is judged by itself.
      const told = policy === 'delete' || (out.has(contact.address) && wanted.has(contact.address));
      const status = told ? 'subscribed' : contact.status;
      return { email: contact.address, status, fields };
    };
    const stale = found.filter(
      ({ address, attributes }) => wanted.has(address) && numberOf(attributes) !== numbers.get(address),
    );
    const mixed = found.filter(
      ({ address, attributes }) => wanted.has(address) && (attributes['OWNER'] ?? undefined) !== owners.get(address),
    );
    return [
      ...differences(history, found.map(as), policy),
      ...stale.map(
        ({ address, attributes }) =>
          `contact ${address} has the number ${numberOf(attributes)} instead of ${numbers.get(address)}`,
      ),
      ...mixed.map(
        ({ address, attributes }) =>
          `contact ${address} has the owner ${JSON.stringify(attributes['OWNER'])} instead of ${owners.get(address)}`,
      ),
    ].map((problem) => `${destination}: ${problem}`);
  });
}

function numberOf({ N: number }: ShownContact['attributes']): number | undefined {
  return number === undefined || number === null ? undefined : Number(number);
}
