import { KeptEvents } from '../../../sandbox/kept-events.ts';
import type { Json, JsonObject } from '../../../core/json.ts';
import type { ContactChangeKind } from '../../../sandbox/stand-in.ts';
import { IDENTIFIERS, type Identifier, Index } from './store-index.ts';

export interface StoredContact {
  readonly id: number;
  email: string | null;
  extId: string | null;
  /** By name; without a prototype, so that any name is safe. */
  readonly attributes: Record<string, Json>;
  readonly lists: Set<number>;
  emailBlacklisted: boolean;
  smsBlacklisted: boolean;
  readonly createdAt: number;
  updatedAt: number;
  /** Until when a further write is too early. */
  busyUntil: number;
}

export interface ContactList {
  readonly id: number;
  name: string;
  folderId: number;
}

export interface Folder {
  readonly id: number;
  name: string;
}

export const ATTRIBUTE_TYPES = [
  'text',
  'date',
  'float',
  'boolean',
  'id',
  'multiple-choice',
  'user',
  'category',
] as const;
export const ATTRIBUTE_CATEGORIES = ['normal', 'transactional', 'category', 'calculated', 'global'] as const;

export interface ContactAttribute {
  readonly name: string;
  readonly category: (typeof ATTRIBUTE_CATEGORIES)[number];
  /** Null where the category has none. */
  readonly type: (typeof ATTRIBUTE_TYPES)[number] | null;
  readonly options: readonly string[];
}

/** An event as it was accepted. It outlives its contact. */
export interface StoredEvent {
  readonly address: string;
  readonly name: string;
  readonly properties: JsonObject;
  /** When it happened, as it was told. */
  readonly at: number;
}

/** What every new account has. */
const STANDARD: readonly ContactAttribute[] = ['FIRSTNAME', 'LASTNAME', 'SMS'].map((name) => ({
  name,
  category: 'normal',
  type: 'text',
  options: [],
}));

/** What a change of a contact is, as somebody who watches opt-outs sees it. */
function kindOf(was: boolean | null, is: boolean): ContactChangeKind {
  if (was === null) return 'created';
  return was === is ? 'updated' : is ? 'opted_out' : 'opted_in';
}

/** All that one account holds. Contacts are found by id and by what identifies them in constant time. */
export class Store {
  readonly lists: Map<number, ContactList> = new Map();
  readonly folders: Map<number, Folder> = new Map();
  /** By name. */
  readonly attributes: Map<string, ContactAttribute> = new Map();
  readonly #events = new KeptEvents<StoredEvent>();
  lastNumber = 1;
  private readonly byId = new Map<number, StoredContact>();
  private readonly index = new Index();
  readonly now: () => number;
  private readonly onContact: (kind: ContactChangeKind, contact: StoredContact) => void;
  private readonly onEvent: (event: StoredEvent) => void;

  constructor(
    now: () => number,
    onContact: (kind: ContactChangeKind, contact: StoredContact) => void,
    onEvent: (event: StoredEvent) => void,
  ) {
    this.now = now;
    this.onContact = onContact;
    this.onEvent = onEvent;
    this.begin();
  }

  get events(): readonly StoredEvent[] {
    return this.#events.list;
  }

  /** See `KeptEvents.total`. */
  get eventCount(): number {
    return this.#events.total;
  }

  get size(): number {
    return this.byId.size;
  }

  contacts(): IterableIterator<StoredContact> {
    return this.byId.values();
  }

  byNumber(id: number): StoredContact | undefined {
    return this.byId.get(id);
  }

  find(identifier: Identifier, value: string): StoredContact | undefined {
    return this.index.find(identifier, value);
  }

  /** An address or an id, as the sandbox's page gives it. */
  named(idOrAddress: string): StoredContact | undefined {
    return this.find('email', idOrAddress) ?? this.byId.get(Number(idOrAddress));
  }

  /** Who has what this contact would have; nobody when all of it is free or its own. */
  taken(contact: Pick<StoredContact, 'email' | 'extId' | 'attributes'>, own: StoredContact | undefined): Identifier[] {
    return IDENTIFIERS.filter((each) => {
      const value = this.index.valueOf(contact, each);
      const owner = value === null ? undefined : this.find(each, value);
      return owner !== undefined && owner !== own;
    });
  }

  /** Makes a contact or changes one; what identifies it must be free or its own. */
  write(contact: StoredContact | undefined, change: (contact: StoredContact) => void): StoredContact {
    const at = this.now();
    const written: StoredContact = contact ?? {
      id: this.nextNumber(),
      email: null,
      extId: null,
      attributes: Object.create(null) as Record<string, Json>,
      lists: new Set(),
      emailBlacklisted: false,
      smsBlacklisted: false,
      createdAt: at,
      updatedAt: at,
      busyUntil: 0,
    };
    const was = contact === undefined ? null : contact.emailBlacklisted;
    if (contact !== undefined) this.index.drop(contact);
    change(written);
    written.updatedAt = at;
    this.index.add(written);
    this.byId.set(written.id, written);
    this.onContact(kindOf(was, written.emailBlacklisted), written);
    return written;
  }

  remove(contact: StoredContact): void {
    this.byId.delete(contact.id);
    this.index.drop(contact);
    this.onContact('deleted', contact);
  }

  addList(name: string, folderId = 1): ContactList {
    const list = { id: this.nextNumber(), name, folderId };
    this.lists.set(list.id, list);
    return list;
  }

  removeList(id: number): void {
    this.lists.delete(id);
    for (const contact of this.contacts()) contact.lists.delete(id);
  }

  addFolder(name: string): Folder {
    const folder = { id: this.nextNumber(), name };
    this.folders.set(folder.id, folder);
    return folder;
  }

  addAttribute(attribute: ContactAttribute): void {
    this.attributes.set(attribute.name, attribute);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
    for (const { attributes } of this.contacts()) delete attributes[name];
  }

  addEvent(event: StoredEvent): void {
    this.#events.add(event);
    this.onEvent(event);
  }

  clear(): void {
    for (const contact of this.byId.values()) this.onContact('deleted', contact);
    this.begin();
  }

  /** Puts these in place of everything, and tells nobody. */
  restore(saved: {
    readonly lastNumber: number;
    readonly eventCount: number;
    readonly contacts: readonly StoredContact[];
    readonly lists: readonly ContactList[];
    readonly folders: readonly Folder[];
    readonly attributes: readonly ContactAttribute[];
    readonly events: readonly StoredEvent[];
  }): void {
    this.begin();
    this.folders.clear();
    this.attributes.clear();
    this.lastNumber = saved.lastNumber;
    for (const contact of saved.contacts) {
      this.byId.set(contact.id, contact);
      this.index.add(contact);
    }
    for (const list of saved.lists) this.lists.set(list.id, { ...list });
    for (const folder of saved.folders) this.folders.set(folder.id, { ...folder });
    for (const attribute of saved.attributes) this.addAttribute(attribute);
    this.#events.restore(saved.events, saved.eventCount);
  }

  private begin(): void {
    for (const part of [this.byId, this.index, this.lists, this.folders, this.attributes]) part.clear();
    this.#events.clear();
    this.lastNumber = 1;
    this.folders.set(1, { id: 1, name: 'Your First Folder' });
    for (const attribute of STANDARD) this.addAttribute(attribute);
  }

  private nextNumber(): number {
    this.lastNumber += 1;
    return this.lastNumber;
  }
}
