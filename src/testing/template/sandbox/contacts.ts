import { RollcallError } from '../../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../../core/json.ts';
import type { ShownContact, StandInOptions } from '../../../sandbox/stand-in.ts';

/** The contacts of the stand-in; addresses ignore case. */
export class Contacts {
  readonly #now: () => number;
  readonly #onContact: StandInOptions['onContact'];
  #byAddress = new Map<string, ShownContact>();
  #made = 0;

  constructor(now: () => number, onContact: StandInOptions['onContact']) {
    this.#now = now;
    this.#onContact = onContact;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  all(): Iterable<ShownContact> {
    return this.#byAddress.values();
  }

  at(address: string): ShownContact | undefined {
    return this.#byAddress.get(address.toLowerCase());
  }

  find(idOrAddress: string): ShownContact | undefined {
    return this.at(idOrAddress) ?? [...this.all()].find(({ id }) => id === idOrAddress);
  }

  /** Makes or changes a contact; null clears an attribute. */
  put(address: string, given: { readonly attributes: JsonObject; readonly optsOut: boolean }): ShownContact {
    const before = this.at(address);
    const kept = Object.entries({ ...before?.attributes, ...given.attributes }).filter(([, value]) => value !== null);
    if (before === undefined) this.#made += 1;
    const contact: ShownContact = {
      id: before?.id ?? String(this.#made),
      address: before?.address ?? address,
      status: given.optsOut ? 'unsubscribed' : (before?.status ?? 'subscribed'),
      attributes: Object.fromEntries(kept),
      lists: [],
      createdAt: before?.createdAt ?? this.#now(),
      updatedAt: this.#now(),
    };
    this.#byAddress.set(address.toLowerCase(), contact);
    this.#onContact(before === undefined ? 'created' : 'updated', contact);
    return contact;
  }

  remove(address: string): void {
    const contact = this.at(address);
    if (contact === undefined) return;
    this.#byAddress.delete(address.toLowerCase());
    this.#onContact('deleted', contact);
  }

  /** What a person does in the vendor's own pages. */
  optOut(address: string): void {
    this.#onContact('opted_out', this.put(address, { attributes: {}, optsOut: true }));
  }

  optIn(address: string): void {
    const contact = this.at(address);
    if (contact === undefined) return;
    const back: ShownContact = { ...contact, status: 'subscribed' };
    this.#byAddress.set(address.toLowerCase(), back);
    this.#onContact('opted_in', back);
  }

  save(): JsonObject {
    return { contacts: [...this.all()].map((contact) => ({ ...contact })), made: this.#made };
  }

  load(saved: JsonObject): void {
    const { contacts, made } = saved;
    if (!Array.isArray(contacts) || !contacts.every(isContact) || typeof made !== 'number') {
      throw new RollcallError('RC_SANDBOX_STATE', 'The saved contacts of Acme cannot be read.');
    }
    this.#byAddress = new Map(contacts.map((contact) => [contact.address.toLowerCase(), contact]));
    this.#made = made;
  }

  clear(): void {
    this.#byAddress = new Map();
    this.#made = 0;
  }
}

function isContact(value: unknown): value is ShownContact {
  if (!isJsonObject(value)) return false;
  return typeof value['id'] === 'string' && typeof value['address'] === 'string' && isJsonObject(value['attributes']);
}
