import { KeptEvents } from '../../../sandbox/kept-events.ts';
import { randomUUID } from 'node:crypto';
import type { Json, JsonObject } from '../../../core/json.ts';
import type { ContactChangeKind } from '../../../sandbox/stand-in.ts';
import type { DataType } from './validate-value.ts';

export interface StoredContact {
  readonly id: string;
  email: string;
  /** By merge tag; without a prototype, so that any merge tag is safe. */
  readonly fields: Record<string, Json>;
  readonly lists: Set<number>;
  readonly createdAt: number;
  updatedAt: number;
}

export interface ContactList {
  readonly id: number;
  name: string;
}

export interface ContactField {
  readonly id: number;
  name: string;
  readonly dataType: DataType;
  mergeTag: string;
  /** What uses the field, in the vendor's words; a used field can't be deleted. */
  usage: readonly string[];
}

/** An event as it was accepted. It outlives its contact. */
export interface ContactEvent {
  readonly contactId: string;
  /** The contact's address at that moment. */
  readonly email: string;
  readonly name: string;
  readonly params: JsonObject;
  /** Milliseconds since the epoch, by the sandbox's clock: the API takes no time of its own. */
  readonly at: number;
}

export const SUPPRESSION_TYPES = ['hard bounce', 'spam complaint', 'unsubscription', 'manual import'] as const;
export type SuppressionType = (typeof SUPPRESSION_TYPES)[number];

export interface Suppression {
  /** A UUID. */
  readonly id: string;
  readonly email: string;
  readonly type: SuppressionType;
  readonly stream: SendingStream;
  readonly at: number;
}

export type SendingStream = 'transactional' | 'bulk' | 'any';

/** All that one account holds. Contacts are found by id and by address in constant time; addresses ignore case. */
export class Store {
  readonly lists: Map<number, ContactList> = new Map();
  /** By merge tag. */
  readonly fields: Map<string, ContactField> = new Map();
  readonly suppressions: Map<string, Suppression> = new Map();
  readonly #events = new KeptEvents<ContactEvent>();
  private readonly byId = new Map<string, StoredContact>();
  private readonly byEmail = new Map<string, StoredContact>();
  private lastId = 0;
  private readonly now: () => number;
  private readonly onChange: (kind: ContactChangeKind, contact: StoredContact) => void;
  private readonly onEvent: (event: ContactEvent) => void;

  constructor(
    now: () => number,
    onChange: (kind: ContactChangeKind, contact: StoredContact) => void,
    onEvent: (event: ContactEvent) => void,
  ) {
    this.now = now;
    this.onChange = onChange;
    this.onEvent = onEvent;
  }

  get events(): readonly ContactEvent[] {
    return this.#events.list;
  }

  /** See `KeptEvents.total`. */
  get eventCount(): number {
    return this.#events.total;
  }

  get size(): number {
    return this.byId.size;
  }

  /** All contacts in the order they were created. */
  contacts(): IterableIterator<StoredContact> {
    return this.byId.values();
  }

  /** @param identifier an id or an address */
  find(identifier: string): StoredContact | undefined {
    const key = identifier.toLowerCase();
    return this.byEmail.get(key) ?? this.byId.get(key);
  }

  findByEmail(email: string): StoredContact | undefined {
    return this.byEmail.get(email.toLowerCase());
  }

  /** Whether a contact of this address is unsubscribed. A no to transactional mail alone does not show on it (ours to choose). */
  isSuppressed(email: string): boolean {
    const { stream = 'transactional' } = this.suppressions.get(email.toLowerCase()) ?? {};
    return stream !== 'transactional';
  }

  /** Adds a contact or changes one; the address must be free or its own. */
  write(contact: StoredContact | null, email: string, change: (contact: StoredContact) => void): StoredContact {
    const at = this.now();
    const written: StoredContact = contact ?? {
      id: randomUUID(),
      email,
      fields: Object.create(null) as Record<string, Json>,
      lists: new Set(),
      createdAt: at,
      updatedAt: at,
    };
    if (written.email !== email) {
      this.byEmail.delete(written.email.toLowerCase());
      written.email = email;
    }
    written.updatedAt = at;
    change(written);
    this.byId.set(written.id, written);
    this.byEmail.set(email.toLowerCase(), written);
    this.onChange(contact === null ? 'created' : 'updated', written);
    return written;
  }

  remove(contact: StoredContact): void {
    this.byId.delete(contact.id);
    this.byEmail.delete(contact.email.toLowerCase());
    this.onChange('deleted', contact);
  }

  /**
   * The opt-out belongs to the address, not to the contact: it outlives both deletion and an address change.
   * @param quiet when the caller writes the contact in the same breath, which tells of it anyway
   */
  suppress(email: string, type: SuppressionType, quiet = false, stream: SendingStream = 'any'): void {
    const key = email.toLowerCase();
    const known = this.suppressions.get(key)?.stream;
    if (known !== undefined && (known !== 'transactional' || stream === 'transactional')) return;
    this.suppressions.set(key, { id: randomUUID(), email: key, type, stream, at: this.now() });
    if (!quiet) this.tellOf(key, 'opted_out');
  }

  unsuppress(email: string, quiet = false): void {
    if (this.suppressions.delete(email.toLowerCase()) && !quiet) this.tellOf(email, 'opted_in');
  }

  addList(name: string): ContactList {
    const list = { id: this.nextId(), name };
    this.lists.set(list.id, list);
    return list;
  }

  removeList(id: number): void {
    this.lists.delete(id);
    for (const contact of this.contacts()) contact.lists.delete(id);
  }

  addField(name: string, dataType: DataType, mergeTag: string): ContactField {
    const field: ContactField = { id: this.nextId(), name, dataType, mergeTag, usage: [] };
    this.fields.set(mergeTag, field);
    return field;
  }

  fieldById(id: number): ContactField | undefined {
    for (const field of this.fields.values()) if (field.id === id) return field;
    return undefined;
  }

  /** Values follow their field to its new merge tag. */
  renameField(field: ContactField, mergeTag: string): void {
    if (field.mergeTag === mergeTag) return;
    for (const { fields } of this.contacts()) {
      const value = fields[field.mergeTag];
      delete fields[field.mergeTag];
      if (value !== undefined) fields[mergeTag] = value;
    }
    this.fields.delete(field.mergeTag);
    field.mergeTag = mergeTag;
    this.fields.set(mergeTag, field);
  }

  removeField(field: ContactField): void {
    this.fields.delete(field.mergeTag);
    for (const { fields } of this.contacts()) delete fields[field.mergeTag];
  }

  addEvent(event: ContactEvent): void {
    this.#events.add(event);
    this.onEvent(event);
  }

  /** The number that the last list or field was given. */
  get lastNumber(): number {
    return this.lastId;
  }

  /** Takes what was stored before in place of all there is, and tells nobody. */
  restore(from: {
    readonly lastNumber: number;
    readonly eventCount: number;
    readonly contacts: readonly StoredContact[];
    readonly lists: readonly ContactList[];
    readonly fields: readonly ContactField[];
    readonly suppressions: readonly Suppression[];
    readonly events: readonly ContactEvent[];
  }): void {
    this.empty();
    for (const contact of from.contacts) {
      this.byId.set(contact.id, contact);
      this.byEmail.set(contact.email.toLowerCase(), contact);
    }
    for (const list of from.lists) this.lists.set(list.id, list);
    for (const field of from.fields) this.fields.set(field.mergeTag, field);
    for (const suppression of from.suppressions) this.suppressions.set(suppression.email, suppression);
    this.#events.restore(from.events, from.eventCount);
    this.lastId = from.lastNumber;
  }

  clear(): void {
    const gone = [...this.byId.values()];
    this.empty();
    for (const contact of gone) this.onChange('deleted', contact);
  }

  private empty(): void {
    for (const part of [this.byId, this.byEmail, this.lists, this.fields, this.suppressions]) part.clear();
    this.#events.clear();
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  private tellOf(email: string, kind: ContactChangeKind): void {
    const contact = this.findByEmail(email);
    if (contact !== undefined) this.onChange(kind, contact);
  }
}
