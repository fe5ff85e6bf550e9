import type { ContactChangeKind, ShownContact, StandIn } from './stand-in.ts';

/** Newest contacts known without a walk over all: what a page begins with. */
const NEWEST = 200;

/** One destination's stand-in in the server. */
export interface SandboxDestination {
  /** The id of the destination. */
  readonly id: string;
  /** The base URL of its API, without a slash at the end. */
  readonly url: string;
  /** The key it accepts. */
  readonly token: string;
  readonly standIn: StandIn;
}

/** The ids of the contacts made last, without a walk over all. */
export class Newest {
  private readonly ids = new Set<string>();

  note(kind: ContactChangeKind, contact: ShownContact): void {
    if (kind === 'deleted') this.ids.delete(contact.id);
    if (kind !== 'created') return;
    this.ids.add(contact.id);
    // Cut now and then rather than each time: a set forgets its first only by a walk from the start.
    if (this.ids.size > NEWEST * 2) this.cut();
  }

  /** Begins again from what a stand-in holds. */
  readFrom(standIn: StandIn): void {
    this.ids.clear();
    for (const { id } of standIn.contacts()) {
      this.ids.add(id);
      if (this.ids.size > NEWEST * 2) this.cut();
    }
  }

  /** At most the last 200, oldest first. */
  contacts(standIn: StandIn): ShownContact[] {
    this.cut();
    return [...this.ids].flatMap((id) => standIn.contact(id) ?? []);
  }

  private cut(): void {
    for (const id of this.ids) {
      if (this.ids.size <= NEWEST) break;
      this.ids.delete(id);
    }
  }
}
