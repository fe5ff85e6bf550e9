import fc from 'fast-check';
import type { ConsentFact, FactKind } from '../../src/core/consent/fact.ts';
import type { Subject } from '../../src/core/consent/standing.ts';

let made = 0;

/** What Ann says of everything, at her address; came at 1,000 unless told. */
export function fact(kind: FactKind, more: Partial<ConsentFact>): ConsentFact {
  made += 1;
  const ann = { person: 'ann', address: 'ann@x.y', origin: 'app', receivedAt: 1_000 };
  return { id: `fact ${made}`, kind, ...ann, ...more };
}

const people = [undefined, 'ann', 'bob'];
const addresses = [undefined, 'ann@x.y', 'bob@x.y'];
const topics = [undefined, 'news', 'offers'];
/** Few moments, so that many are equal. */
const moment = fc.integer({ min: 1, max: 12 });

export const anySubject: fc.Arbitrary<Subject> = fc.record({
  person: fc.constantFrom(...people),
  address: fc.constantFrom(...addresses),
  topic: fc.constantFrom(...topics),
  origin: fc.constantFrom(undefined, 'destination:mailtrap', 'destination:brevo'),
});

/** Of few people, addresses and moments; some were said before they came, some after by a clock that is ahead. */
export const anyFact: fc.Arbitrary<ConsentFact> = fc
  .record({
    kind: fc.constantFrom<FactKind>('opt_in', 'opt_out', 'complaint', 'bounce'),
    person: fc.constantFrom(...people),
    address: fc.constantFrom(...addresses),
    topic: fc.constantFrom(...topics),
    origin: fc.constantFrom('app', 'operator', 'destination:mailtrap', 'destination:brevo'),
    at: fc.option(moment, { nil: undefined }),
    receivedAt: moment,
  })
  .map((said) => ({ ...said, id: '' }));

/** Several of them, each with an id of its own. */
export const someFacts: fc.Arbitrary<readonly ConsentFact[]> = fc
  .array(anyFact, { maxLength: 12 })
  .map((facts) => facts.map((each, n) => ({ ...each, id: `fact ${n}` })));

/** Each thing said once, as it first came. */
export function withoutRepetitions(facts: Iterable<ConsentFact>): readonly ConsentFact[] {
  const first = new Map<string, ConsentFact>();
  for (const fact of facts) {
    const known = first.get(fact.id);
    if (known === undefined || fact.receivedAt < known.receivedAt) first.set(fact.id, fact);
  }
  return [...first.values()];
}
