import type { WalState } from './ports.ts';

/** What whoever finds the WAL so does next. */
export type WalStep = 'rest' | 'make' | 'lost' | 'read';

/** Pure. */
export function nextStep({ slot, wanted, trouble }: Pick<WalState, 'slot' | 'wanted' | 'trouble'>): WalStep {
  if (slot === null) return wanted ? 'make' : 'rest';
  return trouble === null ? 'read' : 'lost';
}

/** What becomes of the slot for the WAL that it keeps. */
export type WalBudget = 'fine' | 'warn' | 'give up' | 'drop';

/** So much more than `keep` is waited for the orderly way back, in which no event is lost. */
const OVER = 1.25;

/** Pure. */
export function judgeBudget(
  { keptBytes, givenUp }: Pick<WalState, 'keptBytes' | 'givenUp'>,
  { warnBytes, keepBytes }: { readonly warnBytes: number; readonly keepBytes: number },
): WalBudget {
  if (keptBytes >= keepBytes * OVER) return 'drop';
  if (keptBytes >= keepBytes && !givenUp) return 'give up';
  return keptBytes >= warnBytes ? 'warn' : 'fine';
}
