import { KeptEvents } from '../../../sandbox/kept-events.ts';
import type { Json } from '../../../core/json.ts';
import type { ContactChangeKind, ShownContact, ShownEvent } from '../../../sandbox/stand-in.ts';
import type { Message, Order } from './message.ts';

/** A contact as it was told, by the id it was told under. */
export interface ToldContact {
  readonly id: string;
  address: string;
  consent: string;
  attributes: Readonly<Record<string, Json>>;
  readonly createdAt: number;
  updatedAt: number;
}

type Told = Exclude<Message, { type: 'event' }>;

/** What a receiver keeps: contacts, the order of what it was last told of each (also of those that are gone), and who said no to it. */
export class Book {
  readonly contacts: Map<string, ToldContact> = new Map();
  readonly orders: Map<string, Order> = new Map();
  /** Addresses, in lower case. */
  readonly optedOut: Set<string> = new Set();
  readonly events: KeptEvents<ShownEvent> = new KeptEvents();
  /** Ids of the messages it has had. */
  readonly seen: Set<string> = new Set();
  private readonly byAddress = new Map<string, ToldContact>();
  private readonly now: () => number;
  private readonly onContact: (kind: ContactChangeKind, contact: ShownContact) => void;
  private readonly onEvent: (event: ShownEvent) => void;

  constructor(
    now: () => number,
    onContact: (kind: ContactChangeKind, contact: ShownContact) => void,
    onEvent: (event: ShownEvent) => void,
  ) {
    this.now = now;
    this.onContact = onContact;
    this.onEvent = onEvent;
  }

  /** @param idOrAddress addresses ignore case */
  find(idOrAddress: string): ToldContact | undefined {
    return this.byAddress.get(idOrAddress.toLowerCase()) ?? this.contacts.get(idOrAddress);
  }

  /** Takes a message; one that it has had, and one older than what it knows of the contact, changes nothing. */
  take(messageId: string, message: Message): void {
    if (this.seen.has(messageId)) return;
    this.seen.add(messageId);
    if (message.type === 'event') return this.addEvent(message);
    const known = this.orders.get(message.id);
    if (known !== undefined && isOlder(message.order, known)) return;
    this.orders.set(message.id, message.order);
    // An address belongs to one contact: whoever else has it has lost it, and is told of again if they live on elsewhere. Whoever
    // stands at one that the person has left is the same person, under an id of before.
    for (const address of [message.address, ...message.previous]) {
      if (address !== null) this.removeOther(message.id, address);
    }
    if (message.type === 'upserted') this.upsert(message);
    else if (message.type === 'deleted') this.remove(this.contacts.get(message.id));
    else this.unsubscribe(message.id);
  }

  /** What `take` keeps, from a file. */
  put(contact: ToldContact): void {
    this.contacts.set(contact.id, contact);
    this.byAddress.set(contact.address.toLowerCase(), contact);
  }

  /** Somebody says no to the receiver itself; its contact need not exist. */
  optOut(address: string): void {
    this.optedOut.add(address.toLowerCase());
    this.tell('opted_out', this.find(address));
  }

  optIn(address: string): void {
    this.optedOut.delete(address.toLowerCase());
    this.tell('opted_in', this.find(address));
  }

  /** Whoever has no ground to be written to, or said no, here or there, is not mailed. */
  show(contact: ToldContact): ShownContact {
    const { id, address, consent, attributes, createdAt, updatedAt } = contact;
    const mailed = (consent === 'basis' || consent === 'opted_in') && !this.optedOut.has(address.toLowerCase());
    const values = Object.entries(attributes).filter(([, value]) => value !== null);
    return {
      id,
      address,
      status: mailed ? 'subscribed' : 'unsubscribed',
      attributes: Object.fromEntries(values),
      lists: [],
      createdAt,
      updatedAt,
    };
  }

  clear(): void {
    for (const contact of this.contacts.values()) this.tell('deleted', contact);
    for (const part of [this.contacts, this.orders, this.optedOut, this.seen, this.byAddress, this.events])
      part.clear();
  }

  private upsert({ id, address, previous, consent, attributes }: Extract<Told, { type: 'upserted' }>): void {
    const known = this.contacts.get(id);
    // A no moves with the person.
    const old = known === undefined ? previous : [known.address, ...previous];
    if (consent === 'opted_in') this.optedOut.delete(address.toLowerCase());
    else if (old.some((each) => this.optedOut.has(each.toLowerCase()))) this.optedOut.add(address.toLowerCase());
    const at = this.now();
    if (known !== undefined) this.byAddress.delete(known.address.toLowerCase());
    const contact = known ?? { id, address, consent, attributes, createdAt: at, updatedAt: at };
    // What is not named stays as it was.
    Object.assign(contact, { address, consent, attributes: { ...known?.attributes, ...attributes }, updatedAt: at });
    this.put(contact);
    this.tell(known === undefined ? 'created' : 'updated', contact);
  }

  private unsubscribe(id: string): void {
    const contact = this.contacts.get(id);
    if (contact === undefined) return;
    contact.consent = 'opted_out';
    contact.updatedAt = this.now();
    this.tell('opted_out', contact);
  }

  private removeOther(id: string, address: string): void {
    const holder = this.byAddress.get(address.toLowerCase());
    if (holder !== undefined && holder.id !== id) this.remove(holder);
  }

  private remove(contact: ToldContact | undefined): void {
    if (contact === undefined) return;
    this.contacts.delete(contact.id);
    this.byAddress.delete(contact.address.toLowerCase());
    this.tell('deleted', contact);
  }

  private addEvent({ key, name, properties, address }: Extract<Message, { type: 'event' }>): void {
    const event = { address: address ?? '', name, properties, key, at: this.now() };
    this.events.add(event);
    this.onEvent(event);
  }

  private tell(kind: ContactChangeKind, contact: ToldContact | undefined): void {
    if (contact !== undefined) this.onContact(kind, this.show(contact));
  }
}

/** Versions compare within one epoch only. */
function isOlder(order: Order, known: Order): boolean {
  return order.epoch < known.epoch || (order.epoch === known.epoch && order.version < known.version);
}
