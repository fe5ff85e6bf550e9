/** So many are always there; of more, the older ones are forgotten now and then. */
const KEPT = 100_000;

/** The events that a stand-in was told, in the order they were accepted. */
export class KeptEvents<Event> {
  readonly #list: Event[] = [];
  #total = 0;

  /** The last ones, at least 100,000 of them. */
  get list(): readonly Event[] {
    return this.#list;
  }

  /** All since the start or the last reset, forgotten ones too. */
  get total(): number {
    return this.#total;
  }

  /** @returns those that are forgotten for it */
  add(event: Event): readonly Event[] {
    this.#list.push(event);
    this.#total += 1;
    return this.#list.length > KEPT * 2 ? this.#list.splice(0, this.#list.length - KEPT) : [];
  }

  /** Takes what was kept before in place of all there is. */
  restore(events: readonly Event[], total: number): void {
    this.clear();
    // Not spread into one call: there may be more than a call takes.
    for (const event of events) this.#list.push(event);
    this.#total = total;
  }

  clear(): void {
    this.#list.length = 0;
    this.#total = 0;
  }
}
