import { RollcallError } from '../core/errors.ts';
import {
  activate,
  decideFault,
  type ActiveFault,
  type FaultCall,
  type FaultRule,
  type FaultVerdict,
} from './faults.ts';

/** The fault rules in force, and how often each may still act. */
export class FaultBox {
  private faults: ActiveFault[] = [];
  private readonly random: () => number;
  private readonly destinations: readonly string[] | undefined;

  /** @param destinations the ids that rules may name; any when absent */
  constructor(random: () => number, rules: readonly FaultRule[], destinations?: readonly string[]) {
    this.random = random;
    this.destinations = destinations;
    this.add(rules);
  }

  get isEmpty(): boolean {
    return this.faults.length === 0;
  }

  /** @throws RollcallError `RC_FAULT_INVALID` for a destination that is not served: such a rule would never act */
  add(rules: readonly FaultRule[]): void {
    for (const { match } of rules) {
      const named = match?.destination;
      if (named === undefined || this.destinations?.includes(named) !== false) continue;
      throw new RollcallError('RC_FAULT_INVALID', `A fault names the destination "${named}", which is not served.`, {
        hint: `Served: ${this.destinations.join(', ')}.`,
      });
    }
    this.faults = [...this.faults, ...rules.map(activate)];
  }

  clear(): void {
    this.faults = [];
  }

  /** The rules with the calls each may still act on (null: no end). */
  list(): readonly { readonly rule: FaultRule; readonly left: number | null }[] {
    return this.faults.map(({ rule, left }) => ({ rule, left: Number.isFinite(left) ? left : null }));
  }

  decide(call: FaultCall): FaultVerdict | null {
    return this.settle(decideFault(this.faults, call, this.random));
  }

  /** Whether a `reject` rule refuses one row of a bulk request. */
  rejectsRow(address: string, call: Omit<FaultCall, 'emails' | 'writesContact'>): boolean {
    if (!this.faults.some((fault) => fault.rule.reject !== undefined)) return false;
    const rejecting = this.faults.map((fault) => (fault.rule.reject === undefined ? { ...fault, left: 0 } : fault));
    const row: FaultCall = { ...call, emails: [address.toLowerCase()], writesContact: true };
    return this.settle(decideFault(rejecting, row, this.random)) !== null;
  }

  private settle(verdict: FaultVerdict | null): FaultVerdict | null {
    if (verdict === null) return null;
    this.faults = this.faults.map((fault, index) =>
      verdict.acting.includes(index) ? { ...fault, left: fault.left - 1 } : fault,
    );
    return verdict;
  }
}
