import type { Issues, Spot } from './issues.ts';
import { quote } from './quote.ts';

/** Whether a target's name means the contact's address. */
export function isAddress(name: string): boolean {
  return name.toLowerCase() === 'email';
}

/** The targets taken so far in one mapping: each may be written by one source only. */
export class TargetNames {
  readonly #taken = new Map<string, Spot>();
  readonly #issues: Issues;
  readonly #addressed: boolean;

  /** @param addressed whether `email`, in any case, means the contact's address */
  constructor(issues: Issues, addressed = true) {
    this.#issues = issues;
    this.#addressed = addressed;
  }

  /** Takes a name; false, and a mistake that names both places, when it is taken already. */
  take(name: string, spot: Spot): boolean {
    // The address has one name in any case; other names differ by case, as they may at a destination.
    const key = this.#addressed && isAddress(name) ? 'email' : name;
    const first = this.#taken.get(key);
    if (first === undefined) {
      this.#taken.set(key, spot);
      return true;
    }
    const message = `the target ${quote(name)} is mapped twice: first at ${first.at.line}:${first.at.column}`;
    this.#issues.error('RC_CONFIG_DUPLICATE_TARGET', message, spot, 'Give one of the two another target.');
    return false;
  }
}
