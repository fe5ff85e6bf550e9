import { KeptEvents } from '../../../sandbox/kept-events.ts';
import { randomBytes } from 'node:crypto';
import type { Json, JsonObject } from '../../../core/json.ts';
import type { ContactChangeKind } from '../../../sandbox/stand-in.ts';

export interface StoredContact {
  readonly id: string;
  email: string;
  first_name: string | null;
  last_name: string | null;
  /** Without a prototype, so that any name is safe. */
  metadata: Record<string, Json>;
  unsubscribed: boolean;
  /** Ids of audiences. */
  readonly audiences: Set<string>;
  readonly createdAt: number;
  updatedAt: number;
}

export interface Audience {
  readonly id: string;
  name: string;
  description: string | null;
  readonly createdAt: number;
  updatedAt: number;
}

export interface StoredEvent {
  readonly id: string;
  readonly eventId: string | null;
  readonly name: string;
  readonly contactId: string;
  /** The contact's address at that moment. */
  readonly email: string;
  readonly payload: JsonObject;
  readonly at: number;
}

/** Documentation, "Suppression List". */
export const SUPPRESSION_REASONS = ['hard_bounce', 'complaint', 'unsubscribe', 'manual'] as const;
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];

export interface Suppression {
  readonly email: string;
  readonly reason: SuppressionReason;
  readonly at: number;
}

export interface Unsubscribe {
  readonly id: string;
  readonly email: string;
  readonly listId: string | null;
  readonly reason: string | null;
  readonly at: number;
}

/** A new id, with the prefix that the vendor's examples show. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(9).toString('hex')}`;
}

/** All that one organisation holds. Contacts are found by id and by address in constant time; addresses ignore case. */
export class Store {
  readonly audiences: Map<string, Audience> = new Map();
  /** By address in lower case. */
  readonly suppressions: Map<string, Suppression> = new Map();
  readonly unsubscribes: Map<string, Unsubscribe> = new Map();
  readonly #events = new KeptEvents<StoredEvent>();
  private readonly byId = new Map<string, StoredContact>();
  private readonly byEmail = new Map<string, StoredContact>();
  private readonly byEventId = new Map<string, StoredEvent>();
  private readonly now: () => number;
  private readonly onChange: (kind: ContactChangeKind, contact: StoredContact) => void;
  private readonly onEvent: (event: StoredEvent) => void;

  constructor(
    now: () => number,
    onChange: (kind: ContactChangeKind, contact: StoredContact) => void,
    onEvent: (event: StoredEvent) => void,
  ) {
    this.now = now;
    this.onChange = onChange;
    this.onEvent = onEvent;
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

  /** All contacts in the order they were created. */
  contacts(): IterableIterator<StoredContact> {
    return this.byId.values();
  }

  byAddress(email: string): StoredContact | undefined {
    return this.byEmail.get(email.toLowerCase());
  }

  find(idOrAddress: string): StoredContact | undefined {
    return this.byId.get(idOrAddress) ?? this.byAddress(idOrAddress);
  }

  get(id: string): StoredContact | undefined {
    return this.byId.get(id);
  }

  /** Whether nothing is sent to a contact. */
  isOut({ email, unsubscribed }: StoredContact): boolean {
    return unsubscribed || this.suppressions.has(email.toLowerCase());
  }

  /** Adds a contact or changes one; the address must be free or its own. */
  write(contact: StoredContact | undefined, email: string, change: (draft: StoredContact) => void): StoredContact {
    const at = this.now();
    const written: StoredContact = contact ?? {
      id: newId('ct'),
      email,
      first_name: null,
      last_name: null,
      metadata: Object.create(null) as Record<string, Json>,
      unsubscribed: false,
      audiences: new Set(),
      createdAt: at,
      updatedAt: at,
    };
    const wasOut = contact !== undefined && this.isOut(contact);
    if (written.email !== email) {
      this.byEmail.delete(written.email.toLowerCase());
      written.email = email;
    }
    written.updatedAt = at;
    change(written);
    this.byId.set(written.id, written);
    this.byEmail.set(email.toLowerCase(), written);
    this.onChange(contact === undefined ? 'created' : 'updated', written);
    const isOut = this.isOut(written);
    if (contact !== undefined && wasOut !== isOut) this.onChange(isOut ? 'opted_out' : 'opted_in', written);
    return written;
  }

  remove(contact: StoredContact): void {
    this.byId.delete(contact.id);
    this.byEmail.delete(contact.email.toLowerCase());
    this.onChange('deleted', contact);
  }

  /** Whoever clicks the link, complains or bounces: the address is suppressed, whether there is a contact or not. */
  suppress(email: string, reason: SuppressionReason): void {
    const key = email.toLowerCase();
    const contact = this.byAddress(key);
    const wasOut = contact !== undefined && this.isOut(contact);
    if (!this.suppressions.has(key)) this.suppressions.set(key, { email: key, reason, at: this.now() });
    if (contact === undefined) return;
    if (reason === 'unsubscribe') contact.unsubscribed = true;
    if (!wasOut) this.onChange('opted_out', contact);
  }

  /**
   * Takes an opt-out back, as `unsubscribed: false` does.
   * @param quiet when the caller writes the contact in the same breath, which tells of it anyway
   */
  resubscribe(email: string, quiet = false): void {
    const key = email.toLowerCase();
    this.suppressions.delete(key);
    for (const [id, each] of this.unsubscribes) if (each.email === key) this.unsubscribes.delete(id);
    const contact = this.byAddress(key);
    if (contact === undefined) return;
    contact.unsubscribed = false;
    if (!quiet) this.onChange('opted_in', contact);
  }

  addAudience(name: string, description: string | null): Audience {
    const at = this.now();
    const audience = { id: newId('aud'), name, description, createdAt: at, updatedAt: at };
    this.audiences.set(audience.id, audience);
    return audience;
  }

  removeAudience(id: string): void {
    this.audiences.delete(id);
    for (const contact of this.contacts()) contact.audiences.delete(id);
  }

  eventWith(eventId: string): StoredEvent | undefined {
    return this.byEventId.get(eventId);
  }

  addEvent(event: StoredEvent): void {
    if (event.eventId !== null) this.byEventId.set(event.eventId, event);
    for (const { eventId } of this.#events.add(event)) if (eventId !== null) this.byEventId.delete(eventId);
    this.onEvent(event);
  }

  clear(): void {
    for (const contact of this.byId.values()) this.onChange('deleted', contact);
    this.forget();
  }

  /** Puts what was saved in place of all there is, and tells nobody. */
  restore(saved: {
    readonly contacts: readonly StoredContact[];
    readonly audiences: readonly Audience[];
    readonly suppressions: readonly Suppression[];
    readonly unsubscribes: readonly Unsubscribe[];
    readonly events: readonly StoredEvent[];
    readonly eventCount: number;
  }): void {
    this.forget();
    for (const contact of saved.contacts) {
      this.byId.set(contact.id, contact);
      this.byEmail.set(contact.email.toLowerCase(), contact);
    }
    for (const audience of saved.audiences) this.audiences.set(audience.id, audience);
    for (const suppression of saved.suppressions) this.suppressions.set(suppression.email, suppression);
    for (const unsubscribe of saved.unsubscribes) this.unsubscribes.set(unsubscribe.id, unsubscribe);
    for (const event of saved.events) if (event.eventId !== null) this.byEventId.set(event.eventId, event);
    this.#events.restore(saved.events, saved.eventCount);
  }

  private forget(): void {
    for (const part of [this.byId, this.byEmail, this.byEventId, this.audiences, this.suppressions, this.unsubscribes])
      part.clear();
    this.#events.clear();
  }
}
