import { type ConsentFact, isExplicit, isNo, saidAt } from './fact.ts';

/** Whose consent is asked for, and about what. */
export interface Subject {
  /** The key of a user; undefined for somebody who is known by an address alone. */
  readonly person?: string | undefined;
  /** The address they have now. */
  readonly address?: string | undefined;
  /** Undefined for mail about nothing in particular. */
  readonly topic?: string | undefined;
  /** Whose facts count beside those of the app and of operators; undefined for those of all. */
  readonly origin?: string | undefined;
}

/** What the facts say. */
export interface Standing {
  /** `unknown`: nobody has said anything, and the basis of the config decides. */
  readonly said: 'opted_in' | 'opted_out' | 'unknown';
  /** When that was said, in microseconds since 1970; undefined while it is unknown. */
  readonly since: number | undefined;
  /** Mail to the address does not arrive. */
  readonly bounces: boolean;
}

/**
 * Where somebody stands; pure, and the same for any order of the facts. `rollcall.standing()` does the same in SQL, and is compared
 * with it by a property test.
 * - The newest explicit fact wins, and of two at one moment a no. An opt-in without a date does not count.
 * - A no belongs to the person and to the address: it holds for whoever has either. An opt-in speaks for who said it.
 * - A no to one topic is undone by a yes to that topic alone; a no to everything by a later yes to the topic, or to everything.
 * - A bounce belongs to the address, until somebody opts in with it.
 *
 * @param facts each thing said once; those of others are left out
 */
export function standing(facts: readonly ConsentFact[], subject: Subject): Standing {
  const own = facts.filter((fact) => concerns(fact, subject));
  const bounce = newest(own.filter(({ kind }) => kind === 'bounce'));
  const proof = newest(own.filter(({ kind, address }) => kind === 'opt_in' && address === subject.address));
  return {
    ...said(own.filter(isExplicit), subject.topic),
    bounces: bounce !== undefined && (proof === undefined || saidAt(proof) <= saidAt(bounce)),
  };
}

/** Whether a fact is heard when this subject is asked for. */
function concerns({ kind, person, address, at, origin }: ConsentFact, subject: Subject): boolean {
  if (subject.origin !== undefined && origin !== subject.origin && origin.startsWith('destination:')) return false;
  const theirs = person !== undefined && person === subject.person;
  const there = address !== undefined && address === subject.address;
  if (kind === 'bounce') return there;
  if (kind !== 'opt_in') return theirs || there;
  if (at === undefined) return false;
  return theirs || (there && (person === undefined || subject.person === undefined));
}

function said(facts: readonly ConsentFact[], topic: string | undefined): Pick<Standing, 'said' | 'since'> {
  const general = newest(facts.filter((fact) => fact.topic === undefined));
  const particular = topic === undefined ? undefined : newest(facts.filter((fact) => fact.topic === topic));
  if (particular !== undefined && isNo(particular)) return { said: 'opted_out', since: saidAt(particular) };
  if (general !== undefined && isNo(general) && !(particular !== undefined && saidAt(particular) > saidAt(general))) {
    return { said: 'opted_out', since: saidAt(general) };
  }
  const yes = [general, particular].flatMap((fact) => (fact === undefined ? [] : [saidAt(fact)]));
  return yes.length === 0 ? { said: 'unknown', since: undefined } : { said: 'opted_in', since: Math.max(...yes) };
}

function newest(facts: readonly ConsentFact[]): ConsentFact | undefined {
  let last: ConsentFact | undefined;
  for (const fact of facts) {
    if (last === undefined || saidAt(fact) > saidAt(last) || (saidAt(fact) === saidAt(last) && isNo(fact))) last = fact;
  }
  return last;
}
