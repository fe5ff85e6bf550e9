import type { Account } from './account.ts';
import type { ContactEvent, Suppression, SuppressionType } from './store.ts';
import { contactView, fieldView, listView, type SandboxContact, type SandboxField, type SandboxList } from './views.ts';
import type { DataType } from './validate-value.ts';

/** What the stand-in holds, and the things people do in the vendor's own pages. Reading settles jobs the clock has finished. */
export class MailtrapState {
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  get contactCount(): number {
    return this.#settled().store.size;
  }

  /** In the order they were created. */
  contacts(): SandboxContact[] {
    const { store } = this.#settled();
    return [...store.contacts()].map((contact) => contactView(contact, store));
  }

  /** @param identifier an id or an address */
  contact(identifier: string): SandboxContact | undefined {
    const { store } = this.#settled();
    const contact = store.find(identifier);
    return contact === undefined ? undefined : contactView(contact, store);
  }

  lists(): SandboxList[] {
    return [...this.#account.store.lists.values()].map(listView);
  }

  fields(): SandboxField[] {
    return [...this.#account.store.fields.values()].map(fieldView);
  }

  suppressions(): Suppression[] {
    return [...this.#account.store.suppressions.values()];
  }

  /**
   * The last events, at least 100,000 of them, in the order they were accepted.
   * @param identifier an id or an address: only events of that contact, also one that was deleted, under any address it had
   */
  contactEvents(identifier?: string): readonly ContactEvent[] {
    const { events } = this.#account.store;
    if (identifier === undefined) return [...events];
    const key = identifier.toLowerCase();
    const ids = new Set(
      events.flatMap(({ contactId, email }) => (contactId === key || email.toLowerCase() === key ? [contactId] : [])),
    );
    const now = this.#account.store.find(identifier);
    if (now !== undefined) ids.add(now.id);
    return events.filter(({ contactId }) => ids.has(contactId));
  }

  /** Someone unsubscribes, complains or bounces. */
  suppress(email: string, type: SuppressionType = 'unsubscription'): void {
    this.#settled().store.suppress(email, type);
  }

  unsuppress(email: string): void {
    this.#settled().store.unsuppress(email);
  }

  addList(name: string): SandboxList {
    return listView(this.#account.store.addList(name));
  }

  addField(mergeTag: string, type: DataType, name: string = mergeTag): SandboxField {
    return fieldView(this.#account.store.addField(name, type, mergeTag));
  }

  /** Puts a field to use in a segment, campaign or automation, after which it can't be deleted. */
  useField(mergeTag: string, usage: string): void {
    const field = this.#account.store.fields.get(mergeTag);
    if (field !== undefined) field.usage = [...field.usage, usage];
  }

  #settled(): Account {
    this.#account.imports.settle();
    this.#account.exports.settle();
    return this.#account;
  }
}
