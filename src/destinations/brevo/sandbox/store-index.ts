import type { Json } from '../../../core/json.ts';
import type { StoredContact } from './store.ts';

/** What names one contact beside its id, in the vendor's words; the phone numbers are attributes. */
export const IDENTIFIERS = ['email', 'ext_id', 'SMS', 'WHATSAPP', 'LANDLINE_NUMBER'] as const;
export type Identifier = (typeof IDENTIFIERS)[number];

function text(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Contacts by what identifies them; addresses ignore case. */
export class Index {
  private readonly owners = new Map<string, StoredContact>();

  valueOf(contact: Pick<StoredContact, 'email' | 'extId' | 'attributes'>, identifier: Identifier): string | null {
    if (identifier === 'email') return contact.email;
    return identifier === 'ext_id' ? contact.extId : text(contact.attributes[identifier]);
  }

  find(identifier: Identifier, value: string): StoredContact | undefined {
    return this.owners.get(key(identifier, value));
  }

  add(contact: StoredContact): void {
    for (const each of this.keys(contact)) this.owners.set(each, contact);
  }

  drop(contact: StoredContact): void {
    for (const each of this.keys(contact)) if (this.owners.get(each) === contact) this.owners.delete(each);
  }

  clear(): void {
    this.owners.clear();
  }

  private keys(contact: StoredContact): string[] {
    return IDENTIFIERS.flatMap((each) => {
      const value = this.valueOf(contact, each);
      return value === null ? [] : [key(each, value)];
    });
  }
}

function key(identifier: Identifier, value: string): string {
  return `${identifier} ${identifier === 'email' ? value.toLowerCase() : value}`;
}
