import type { Json, JsonObject } from './json.ts';
import type { Traffic } from './limits.ts';
import type { AttributeType, ConsentState } from './mapping.ts';
import type { OutcomeKind } from './outcome.ts';
import type { SegmentLists } from './segments.ts';

/**
 * What a destination's requests and answers are, as data: what the SQL home fills in and reads by itself (`src/sql/pump`). Made of
 * the config by the destination; it holds no secrets, only the names of options that do.
 */
export interface Declaration {
  readonly auth:
    | {
        readonly header: string;
        /** Before the secret, for example `Bearer `. */
        readonly prefix: string;
        /** The option that holds it. */
        readonly option: string;
      }
    | { readonly sign: 'standard-webhooks'; readonly options: readonly string[] };
  /** False where nothing that can be sent keeps a contact unsubscribed: then whoever left is deleted there. */
  readonly tellsOptOut: boolean;
  /** Cheap read that proves the key; absent where nothing can be read. */
  readonly probe?: string | undefined;
  /** How a contact is read: by `$id`, `$address` of the facts. */
  readonly lookup?: Lookup | undefined;
  /** Whoever is to be upserted is read before. */
  readonly looksFirst?: boolean | undefined;
  /** What is sent for a contact, in order. */
  readonly upsert: readonly Step[];
  readonly unsubscribe: readonly Step[];
  readonly delete: readonly Step[];
  readonly event?: Step | undefined;
  /** Many contacts in one request. */
  readonly bulk?: DeclaredBulk | undefined;
  /** Who must not be mailed, page by page. */
  readonly pull?: readonly DeclaredPull[] | undefined;
  readonly attributes: AttributeRule;
  /** Lists, of which `$joined` and `$left_lists` of the facts are made: ids that an upsert joins and leaves. */
  readonly lists?: DeclaredLists | undefined;
}

export interface DeclaredLists {
  /** Those that everybody joins. */
  readonly all: readonly number[];
  /** They are joined with every delivery, and not with the first alone. */
  readonly keep: boolean;
  /** Ids of the lists of segments, by `listKey`. */
  readonly segments: SegmentLists;
}

/**
 * A JSON value with places to be filled: `{$: fact}`, `{$object: [[name, template, test?], ..]}` (a name `...` spreads an object;
 * the test `filled` leaves out what is empty), `{$text: [..]}`, `{$segment: fact}` (percent-encoded),
 * `{$query: fact}` (a value of a query), `{$number: fact}`, `{$if: [test, template, template]}`, `{$pick: [fact, names]}` and
 * `{$flat: fact}` (objects and arrays in it as JSON text), `{$slug: fact}`, `{$slugged: fact}` (names of letters, digits, `-` and `_`),
 * `{$milliseconds: fact}` (a time to the millisecond), `{$omit: [fact, names]}` (of an object), `{$present: template}` (an object without what is null or empty), `{$known: template}` (without what is null); anything else is itself.
 */
export type Template = Json;

/** A fact that is true, or a condition over several. */
export type Test =
  | string
  | { readonly not: Test }
  | { readonly all: readonly Test[] }
  | { readonly any: readonly Test[] };

/** One request. */
export interface Step {
  readonly kind: 'upsert' | 'unsubscribe' | 'delete' | 'event';
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: Template;
  readonly body?: Template | undefined;
  /** Left out unless it is true when its turn comes. */
  readonly when?: Test | undefined;
  /** Once for each of a list of facts, which is `$each` in it. */
  readonly each?: string | undefined;
  /** Not sent: it cannot be said in this home, and the contact is a dead letter with these words. */
  readonly refuse?: { readonly code: string; readonly message: string } | undefined;
  /** The contact at this address is looked up first: `$found_id` in it. Who is not there needs no deletion and no opt-out. */
  readonly find?: string | undefined;
  /** Which limits count it; `contact` when absent. */
  readonly traffic?: Traffic | undefined;
  /** Of an event: most characters of its name and of a property's, and bytes of its properties. */
  readonly limits?: { readonly name: number; readonly property: number; readonly bytes: number } | undefined;
  /** A header whose value says what is said, the same for each attempt. */
  readonly key?: readonly [header: string, value: Template] | undefined;
  readonly answers: readonly AnswerRule[];
  readonly refusedRows?: RefusedRows | undefined;
  /** The work goes on after the answer, whose `id` names it. */
  readonly watch?: Watch | undefined;
}

/** What an answer means; the first rule that fits counts, and the status decides where none does (`statusClass`). */
export interface AnswerRule {
  readonly status?: readonly number[] | undefined;
  /** What the status means by itself. */
  readonly of?: readonly OutcomeKind[] | undefined;
  /** A regular expression over the whole body, without regard to case. */
  readonly body?: string | undefined;
  /** What the body is. */
  readonly json?: 'object' | 'array' | 'none' | undefined;
  /** Of the facts. */
  readonly when?: Test | undefined;
  /** A place in the body and what stands there. */
  readonly at?: readonly [path: readonly string[], value: Json] | undefined;
  /** The text at the first of some places that has one, and a regular expression or two that it matches, without regard to case. */
  readonly words?: readonly [places: readonly (readonly string[])[], matches: string, andMatches?: string] | undefined;
  /** Complaints, each of which must be among those at the first of some places that has any. */
  readonly complaints?: readonly [places: readonly (readonly string[])[], ...all: readonly Complaint[]] | undefined;
  readonly kind: OutcomeKind;
  readonly code?: string | undefined;
  /** Places of the vendor's own word for the cause, which is the code where there is one. */
  readonly codeAt?: readonly (readonly string[])[] | undefined;
  readonly field?: string | undefined;
  /** Said before the vendor's words. */
  readonly say?: string | undefined;
  readonly forgetRemote?: boolean | undefined;
  readonly untilApply?: boolean | undefined;
  /** Places of the id in the answer. */
  readonly id?: readonly (readonly string[])[] | undefined;
  /** An id of another type is none; of either when absent. */
  readonly idType?: 'string' | 'number' | undefined;
  /** The id, where it is known without the answer. */
  readonly idIs?: Template | undefined;
  /** Without an id in the answer it is `unknown`. */
  readonly needsId?: boolean | undefined;
}

/** What is wrong with what: regular expressions, without regard to case. */
export interface Complaint {
  /** Null for what is said of all of it. */
  readonly field?: string | null | undefined;
  readonly words?: string | undefined;
}

export interface Lookup {
  readonly byId: Template;
  readonly byAddress: Template;
  /** Places of what is read. */
  readonly id: readonly (readonly string[])[];
  readonly address: readonly (readonly string[])[];
  readonly idType?: AnswerRule['idType'];
  /** Who fits one of these is not subscribed, whatever else is said. */
  readonly unsubscribed: readonly (readonly [path: readonly string[], value: Json])[];
  /** Who fits one of these is; anybody else who is there is not. */
  readonly subscribed: readonly (readonly [path: readonly string[], value: Json])[];
  /** An answer that says neither is none. */
  readonly mustSay?: boolean | undefined;
  /** An answer about another address than the one that was asked for is none: where it is looked for and not named. */
  readonly mustBeAsked?: boolean | undefined;
  /** Nobody is there where the first of these that fits is `delivered`. */
  readonly missing: readonly AnswerRule[];
}

/** How far work at the destination has come. */
export interface Watch {
  /** With `$work` for its id. */
  readonly url: Template;
  readonly firstMs: number;
  readonly mostMs: number;
  /** Of a success: `delivered`: done; `retry`: at work still; `reject`: done, and not all of it; anything else: it failed so. */
  readonly answers: readonly AnswerRule[];
}

/** Rows of a request for many that a refusal names. */
export interface RefusedRows {
  /** Where their list is. */
  readonly path: readonly string[];
  /** By which name each tells its address. */
  readonly address: string;
  /** By which name each tells what is wrong, and what that means: as an answer of status 422 with that alone. */
  readonly errors: string;
  readonly answers: readonly AnswerRule[];
}

export interface DeclaredBulk {
  readonly most: number;
  readonly mostBytes: number;
  /** Contacts that must wait before it is used. */
  readonly least: number;
  readonly consents: readonly ConsentState[];
  readonly atOnce: number;
  /** Who goes by themselves all the same. */
  readonly alone?: Test | undefined;
  readonly row: Template;
  readonly url: Template;
  /** With `$rows`, and `$joins` where some row joins a list. */
  readonly body: Template;
  readonly answers: readonly AnswerRule[];
  readonly refusedRows?: RefusedRows | undefined;
  readonly watch?: Watch | undefined;
}

/** One listing of those who must not be mailed. */
export interface DeclaredPull {
  /** With `$after` for the place that the page before named. */
  readonly url: Template;
  readonly rows: readonly string[];
  readonly address: readonly string[];
  readonly at?: readonly string[] | undefined;
  /** The word for the reason, and what each means; any other is `otherwise`. */
  readonly reason?: readonly string[] | undefined;
  readonly reasons: Readonly<Record<string, 'unsubscribe' | 'complaint' | 'bounce' | 'manual'>>;
  readonly otherwise: 'unsubscribe' | 'manual';
  /** Only rows with one of these values at a place count. */
  readonly only?: readonly [path: readonly string[], values: readonly Json[]] | undefined;
  /** How the next page is named: a place in the answer; a place in its last row; or counted rows. */
  readonly next:
    | { readonly answer: readonly string[]; readonly unless: readonly [path: readonly string[], value: Json] }
    | { readonly lastRow: readonly string[] }
    | { readonly offset: number; readonly overlap: number };
  /** A 404 says that there is no such listing. */
  readonly optional?: boolean | undefined;
}

/**
 * How a value is said. `plain`: objects and arrays as JSON text; `day`: the day of a text that begins with one. Of a `calendar_day`, `number`, `boolean`
 * and `phone` a value that is none is refused, as the destination would drop it without a word.
 */
export type Conversion = 'same' | 'plain' | 'text' | 'day' | 'calendar_day' | 'number' | 'boolean' | 'phone';

export interface AttributeRule {
  readonly by: Readonly<Record<AttributeType | 'unknown', Conversion>>;
  /** Objects and arrays as JSON text, whatever the type. */
  readonly nestedAsText: boolean;
  /** What clears a value. */
  readonly cleared: Json;
  readonly upperCase: boolean;
  /** By name at the destination: those with another conversion. */
  readonly named: Readonly<Record<string, Conversion>>;
  /** Names that are left out. */
  readonly leftOut: readonly string[];
}

/** All values as they are. */
export const AS_THEY_ARE: AttributeRule = {
  by: {
    text: 'same',
    integer: 'same',
    float: 'same',
    boolean: 'same',
    date: 'same',
    timestamp: 'same',
    json: 'same',
    unknown: 'same',
  },
  nestedAsText: false,
  cleared: null,
  upperCase: false,
  named: {},
  leftOut: [],
};

/** A template for a fact. */
export function fact(name: string): JsonObject {
  return { $: name };
}

/** A template for an object; each entry is its name, its value, and when it is there. */
export function object(...entries: readonly (readonly [name: string, value: Template, test?: Test])[]): JsonObject {
  return { $object: entries.map((entry) => [...entry] as Json[]) };
}

/** A template for a text. */
export function text(...parts: readonly Template[]): JsonObject {
  return { $text: parts };
}

/** A fact as one path segment. */
export function segment(name: string): JsonObject {
  return { $segment: name };
}

/**
 * Lists as they are declared.
 * @param all ids of those that everybody joins
 */
export function declaredLists(
  {
    list_policy: policy,
    segment_lists: segments = {},
  }: { readonly list_policy: 'once' | 'keep'; readonly segment_lists?: SegmentLists | undefined },
  all: readonly number[],
): DeclaredLists | undefined {
  if (all.length === 0 && Object.keys(segments).length === 0) return undefined;
  return { all, keep: policy === 'keep', segments };
}
