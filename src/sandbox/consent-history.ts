import type { ApiRequest } from './api-request.ts';
import type { ContactChangeKind, ShownContact } from './stand-in.ts';

/** Changes remembered of one address. */
const KEPT = 50;

/** What became of somebody's consent, and what did it. */
export interface ConsentChange {
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  readonly status: ShownContact['status'] | 'deleted';
  /** The request that did it; null when it was done by hand, on the page or by the control API. */
  readonly call: string | null;
}

/**
 * What changed the consent of whom, by destination and address. Whoever was made as subscribed and never changed takes no
 * memory: that is nearly everybody.
 */
export class ConsentHistory {
  /** The request that is being acted on. */
  acting: ApiRequest | null = null;
  private readonly byDestination = new Map<string, Map<string, ConsentChange[]>>();

  note(destination: string, kind: ContactChangeKind, contact: ShownContact, at: number): void {
    const addresses = this.addresses(destination);
    const key = contact.address.toLowerCase();
    const changes = addresses.get(key);
    const before = changes?.at(-1)?.status ?? 'subscribed';
    const status: ConsentChange['status'] = kind === 'deleted' ? 'deleted' : contact.status;
    if (status === before || (changes === undefined && status === 'deleted')) return;
    const { acting } = this;
    const change: ConsentChange = { at, status, call: acting === null ? null : `${acting.method} ${acting.path}` };
    if (changes === undefined) addresses.set(key, [change]);
    else if (changes.push(change) > KEPT) changes.shift();
  }

  /** Oldest first. */
  of(destination: string, address: string): readonly ConsentChange[] {
    return this.addresses(destination).get(address.toLowerCase()) ?? [];
  }

  clear(): void {
    this.byDestination.clear();
  }

  private addresses(destination: string): Map<string, ConsentChange[]> {
    let addresses = this.byDestination.get(destination);
    if (addresses === undefined) {
      addresses = new Map();
      this.byDestination.set(destination, addresses);
    }
    return addresses;
  }
}
