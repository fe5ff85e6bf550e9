import type { RemoteContact } from '../core/destination.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Claimed } from '../engine/ports.ts';
import type { Bench, Unit } from './bench.ts';
import { delivery } from './delivery.ts';
import { must } from './must.ts';

/** What is to be true of a person, as a fold would say it. */
export type Wanted = Partial<
  Pick<Claimed, 'action' | 'address' | 'attributes' | 'consent' | 'takeover' | 'events' | 'carryFrom' | 'lists'>
>;

/** Attempts until whatever passes has passed. */
const MOST_ATTEMPTS = 6;

/**
 * One person, with what is known of their contact kept as the database keeps it between attempts (`src/sql/functions/settle.ts`
 * and `fold-destination.ts`): so what a destination does is seen over several attempts, lost answers among them.
 */
export class Person {
  readonly #bench: Bench;
  readonly #contactId: string;
  #remote: RemoteContact | null;
  /** What was wanted last, as text, with its version, and whether that was accepted. */
  #last: { readonly wanted: string; readonly version: string; accepted: boolean } | undefined;
  /** An attempt of unknown outcome may still arrive: the state is sent once more after it was accepted. */
  #doubt = false;
  /** The address of the last attempt. */
  #tried: string | undefined;

  constructor(bench: Bench, contactId = '1', remote: RemoteContact | null = null) {
    this.#bench = bench;
    this.#contactId = contactId;
    this.#remote = remote;
  }

  /** The contact as it is known. */
  get remote(): RemoteContact | null {
    return this.#remote;
  }

  /** Forgets the id, as after a request for many, which tells none. */
  forgetId(): void {
    if (this.#remote !== null) this.#remote = { ...this.#remote, id: null };
  }

  /** One attempt, and what is known after it. */
  async attempt(wanted: Wanted, deadlineMs?: number): Promise<Unit> {
    const parts = this.parts(wanted);
    const unit = await this.#bench.perform(parts, deadlineMs);
    this.#learn(parts, unit);
    return unit;
  }

  /**
   * Attempts as many as it takes, as the engine would.
   * @throws AssertionError when it is refused, or not accepted in the end
   */
  async arrive(wanted: Wanted): Promise<RemoteContact> {
    for (let tries = 1; tries <= MOST_ATTEMPTS; tries += 1) {
      const { state } = await this.attempt(wanted);
      const final = state === undefined || state.kind === 'reject' || state.kind === 'config';
      must(!final, 'what can be sent is accepted', { wanted, outcome: state });
      if (state.kind === 'delivered' && !this.#doubt) break;
      if (state.kind === 'delivered') this.#doubt = false;
      must(tries < MOST_ATTEMPTS, `a delivery is accepted within ${MOST_ATTEMPTS} attempts`, state);
    }
    return this.#remote ?? { address: null, id: null };
  }

  /** A unit of work for what is wanted now. */
  parts(wanted: Wanted): Claimed {
    const address =
      wanted.action === 'delete' || wanted.action === 'unsubscribe' ? null : (wanted.address ?? 'ann@example.com');
    const text = JSON.stringify({ ...wanted, events: undefined });
    // Each change is another version; what is sent again is the same.
    if (text !== this.#last?.wanted) {
      this.#last = { wanted: text, version: this.#bench.nextVersion(), accepted: false };
    }
    const known = this.#remote;
    // An address that was attempted and given up again may stand there as a contact of its own.
    const tried = this.#tried;
    const left = tried !== undefined && tried !== address && tried !== known?.address ? [tried] : [];
    const leftovers = [...new Set([...(known?.leftovers ?? []), ...left])].filter((each) => each !== address);
    const remote = known === null && leftovers.length === 0 ? null : { address: null, id: null, ...known, leftovers };
    this.#remote = remote;
    return delivery({
      contactId: this.#contactId,
      version: this.#last.version,
      again: this.#last.accepted,
      ...wanted,
      address,
      remote,
    });
  }

  #learn(parts: Claimed, { state, partial }: Unit): void {
    if (state === undefined) return;
    if (state.kind === 'unknown') this.#doubt = true;
    if (this.#last !== undefined && state.kind === 'delivered') this.#last.accepted = true;
    this.#tried = parts.address ?? undefined;
    this.#remote = known(parts, state, partial);
  }
}

function known(parts: Claimed, state: Outcome, partial: Unit['partial']): RemoteContact | null {
  const { remote, address } = parts;
  const delivered = state.kind === 'delivered';
  if (parts.action === 'delete') return delivered ? null : remote;
  const forget = state.kind !== 'delivered' && state.forgetRemote === true;
  if (parts.action === 'unsubscribe' || (!delivered && partial === undefined)) {
    const unsure = state.kind === 'unknown' && (remote === null || remote.address === null) ? address : undefined;
    if (remote === null) return unsure === undefined ? null : { address: unsure, id: null };
    return { ...remote, address: unsure ?? remote.address, id: forget ? null : remote.id };
  }
  const id =
    (state.kind === 'delivered' ? state.remoteId : partial?.remoteId) ?? (forget ? null : (remote?.id ?? null));
  if (delivered) return id === null ? { address, id, imported: true } : { address, id };
  const old = remote?.address;
  const leftovers = [
    ...(remote?.leftovers ?? []),
    ...(old === null || old === undefined || old === address ? [] : [old]),
  ];
  return { address, id, leftovers };
}
