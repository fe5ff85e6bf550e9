import type { Destination, Exchange } from '../core/destination.ts';
import { factOf } from '../core/suppressions.ts';
import type { InboundFact } from '../core/inbound.ts';

/** Facts of one page of those who must not be mailed, and whether it was the last. */
export interface SuppressionFacts {
  readonly facts: readonly InboundFact[];
  readonly isLast: boolean;
}

/**
 * Walks over all who must not be mailed at a destination, a page at a time; nothing where it has no way to tell.
 * @param ask sends one question, as whoever walks may; undefined ends the walk, and what it throws does too
 */
export async function* suppressionPages(
  { suppressions }: Destination<unknown>,
  config: unknown,
  ask: <Value>(make: () => Exchange<Value>) => Promise<Value | undefined>,
): AsyncGenerator<SuppressionFacts> {
  if (suppressions === undefined) return;
  for (let after: string | undefined; ;) {
    const from = after;
    const page = await ask(() => suppressions.page(from, config));
    if (page === undefined) return;
    // A page that names itself as the next one would come for ever.
    const isLast = page.next === undefined || page.next === from;
    yield { facts: page.rows.map(factOf), isLast };
    if (isLast) return;
    after = page.next;
  }
}
