/**
 * The filters of PostgREST (docs.postgrest.org, "Horizontal Filtering"): `plan=eq.pro&mrr=gt.100`. Of its operators those of a comparison;
 * no full-text search, arrays, ranges or embedded tables. The text is as it is before URL encoding: nothing in it is decoded but `%26`, which is `&`.
 */

export const COMPARISONS = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'like', 'ilike'] as const;
const IS_VALUES = ['null', 'not_null', 'true', 'false', 'unknown'] as const;
/** All that may follow a column. */
export const OPERATORS: readonly string[] = [...COMPARISONS, 'in', 'is'];

/** What is asked of a column. */
export type FilterTest =
  | { readonly operator: (typeof COMPARISONS)[number]; readonly value: string }
  | { readonly operator: 'in'; readonly values: readonly string[] }
  | { readonly operator: 'is'; readonly value: (typeof IS_VALUES)[number] };

/** A column as it is named: a name, and the steps into its JSON with `->` or `->>` before each. */
export interface FilterColumn {
  readonly name: string;
  /** True when it is in quotes: then a dot in it is part of it. */
  readonly quoted: boolean;
  readonly steps: readonly { readonly text: boolean; readonly key: string | number }[];
  /** Where it begins in the filter, from 1. */
  readonly at: number;
}

export type Filter =
  | { readonly kind: 'test'; readonly column: FilterColumn; readonly negated: boolean; readonly test: FilterTest }
  | { readonly kind: 'all' | 'any'; readonly negated: boolean; readonly of: readonly Filter[] };

/** What is wrong with a filter, and where. */
export class FilterError extends Error {
  /** The place in the filter, from 1. */
  readonly at: number;
  readonly hint: string | undefined;

  constructor(message: string, at: number, hint?: string) {
    super(message);
    this.name = 'FilterError';
    this.at = at;
    this.hint = hint;
  }
}

/**
 * Reads a filter.
 * @throws FilterError
 */
export function parseFilter(text: string): Filter {
  return new Reader(text).whole();
}

const DEEPEST = 20;
const EXAMPLE = 'For example plan=eq.pro&mrr=gt.100.';

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Filter {
    const of: Filter[] = [];
    do of.push(this.#parameter());
    while (this.#take('&'));
    return { kind: 'all', negated: false, of };
  }

  /** `column=operator.value`, or `or=(..)`. */
  #parameter(): Filter {
    const start = this.#at;
    const logic = /(?:(not)\.)?(and|or)=(?=\()/y;
    logic.lastIndex = start;
    const match = logic.exec(this.#text);
    if (match !== null) {
      this.#at = logic.lastIndex;
      return this.#group(match[2] === 'and' ? 'all' : 'any', match[1] !== undefined);
    }
    const column = this.#column('=&');
    if (!this.#take('=')) throw this.#wrong(`there is no "=" after ${JSON.stringify(column.name)}`, start, EXAMPLE);
    return this.#test(column, false);
  }

  /** `(a.eq.1,or(b.gt.2,not.c.is.null))`. */
  #group(kind: 'all' | 'any', negated: boolean): Filter {
    const start = this.#at;
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw this.#wrong(`more than ${DEEPEST} groups stand inside each other`, start);
    this.#take('(');
    const of: Filter[] = [];
    do {
      this.#blanks();
      of.push(this.#member());
      this.#blanks();
    } while (this.#take(','));
    if (!this.#take(')')) throw this.#wrong('a parenthesis is not closed', start);
    this.#depth -= 1;
    return { kind, negated, of };
  }

  #member(): Filter {
    const logic = /(?:(not)\.)?(and|or)(?=\()/y;
    logic.lastIndex = this.#at;
    const match = logic.exec(this.#text);
    if (match !== null) {
      this.#at = logic.lastIndex;
      return this.#group(match[2] === 'and' ? 'all' : 'any', match[1] !== undefined);
    }
    const start = this.#at;
    const column = this.#column('.,()&');
    if (!this.#take('.')) {
      throw this.#wrong(
        `there is no operator after ${JSON.stringify(column.name)}`,
        start,
        'For example or=(plan.eq.pro,mrr.gt.100).',
      );
    }
    return this.#test(column, true);
  }

  /** @param ends characters that end a name without quotes */
  #column(ends: string): FilterColumn {
    const at = this.#at + 1;
    const quoted = this.#text[this.#at] === '"';
    const name = quoted ? this.#quoted() : this.#until(ends);
    if (name === '') throw this.#wrong('a column is missing', at - 1, EXAMPLE);
    const steps: { text: boolean; key: string | number }[] = [];
    while (this.#text.startsWith('->', this.#at)) {
      const text = this.#text.startsWith('->>', this.#at);
      this.#at += text ? 3 : 2;
      const own = this.#text[this.#at] === '"';
      const key = own ? this.#quoted() : this.#until(ends);
      if (key === '') throw this.#wrong('a key is missing behind the arrow', this.#at);
      steps.push({ text, key: !own && /^-?\d{1,9}$/.test(key) ? Number(key) : key });
    }
    return { name, quoted, steps, at };
  }

  #until(ends: string): string {
    const start = this.#at;
    while (
      this.#at < this.#text.length &&
      !ends.includes(this.#text[this.#at] ?? '') &&
      !this.#text.startsWith('->', this.#at)
    ) {
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  /** @param inside whether it is part of a group: then commas and parentheses end it */
  #test(column: FilterColumn, inside: boolean): Filter {
    const negated = this.#text.startsWith('not.', this.#at);
    if (negated) this.#at += 4;
    const start = this.#at;
    const word = /[^.&(),]*/y;
    word.lastIndex = start;
    const operator = word.exec(this.#text)?.[0] ?? '';
    const known = OPERATORS.includes(operator);
    if (!known || this.#text[start + operator.length] !== '.') {
      const what = known ? `there is no "." after ${operator}` : `${JSON.stringify(operator)} is no operator`;
      throw this.#wrong(what, start, `Operators: ${OPERATORS.join(', ')}, with not. before any of them. ${EXAMPLE}`);
    }
    this.#at = start + operator.length + 1;
    const test = operator === 'in' ? this.#list() : this.#single(operator, inside);
    const next = this.#text[this.#at];
    if (next !== undefined && next !== '&' && !(inside && ',) '.includes(next))) {
      throw this.#wrong(`${JSON.stringify(next)} can't stand here`, this.#at);
    }
    return { kind: 'test', column, negated, test };
  }

  #single(operator: string, inside: boolean): FilterTest {
    const start = this.#at;
    // Outside of a group quotes are characters like any other, as PostgREST has it.
    const value = inside && this.#text[start] === '"' ? this.#quoted() : decoded(this.#plain(inside ? ',)&' : '&'));
    if (operator !== 'is') return { operator: operator as (typeof COMPARISONS)[number], value };
    const found = IS_VALUES.find((each) => each === value.toLowerCase());
    if (found !== undefined) return { operator: 'is', value: found };
    throw this.#wrong(`nothing is ${JSON.stringify(value)}`, start, `After is. stands ${IS_VALUES.join(', ')}.`);
  }

  #plain(ends: string): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !ends.includes(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  /** `(a,b,"c,d")`. */
  #list(): FilterTest {
    const start = this.#at;
    if (!this.#take('('))
      throw this.#wrong('a list in parentheses is missing', start, 'For example status=in.(active,trial).');
    this.#blanks();
    const values: string[] = [];
    if (this.#take(')')) return { operator: 'in', values };
    do values.push(this.#element());
    while (this.#take(','));
    if (!this.#take(')')) throw this.#wrong('a parenthesis is not closed', start);
    return { operator: 'in', values };
  }

  #element(): string {
    const start = this.#at;
    if (this.#text[start] === '"') {
      const value = this.#quoted();
      // Quotes that end before the element does are characters of it, as PostgREST has it.
      if (',)'.includes(this.#text[this.#at] ?? ' ')) return value;
      this.#at = start;
    }
    return decoded(this.#plain(',)'));
  }

  /** A text in double quotes; a backslash keeps the character behind it. */
  #quoted(): string {
    const match = /"((?:[^"\\]|\\[^])*)"/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) throw this.#wrong('a quote is not closed', this.#at);
    this.#at = match.lastIndex;
    return (found[1] ?? '').replaceAll(/\\([^])/g, '$1');
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #blanks(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }

  #wrong(message: string, at: number, hint?: string): FilterError {
    return new FilterError(message, at + 1, hint);
  }
}

/** `%26` is the one thing that is decoded: there is no other way to write `&` in a value. */
function decoded(value: string): string {
  return value.replaceAll('%26', '&');
}
