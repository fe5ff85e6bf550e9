import { RollcallError } from './errors.ts';
import type { Condition, ContactLink, MappingPlace, TableName } from './mapping.ts';

/** People who belong on a list, as the config says it. */
export interface Segment extends MappingPlace {
  readonly name: string;
  /** The destination that has the list. */
  readonly destination: string;
  /** By id or by name. */
  readonly list: number | string;
  /** Whose rows are looked at: those of `auth.users`, of a mapped table of contacts, or of a table whose rows lead to contacts. */
  readonly from: SegmentSource;
  /** Whoever has a row for which it is true is a member. Of a filter this is its SQL. */
  readonly where: Condition;
  /** The filter as written, where there is one. */
  readonly filter?: string | undefined;
}

export type SegmentSource =
  | { readonly kind: 'users' }
  | { readonly kind: 'contacts'; readonly table: TableName }
  | { readonly kind: 'related'; readonly table: TableName; readonly link: ContactLink | undefined };

/** The member of a payload that holds the lists a contact shall be on, each with true. It is no attribute. */
export const LISTS_KEY = 'rollcall:lists';

const PREFIX = 'rollcall:segment:';

/** The attribute by which the mapping carries a segment; it goes to no destination as such. */
export function segmentAttribute(name: string): string {
  return PREFIX + name;
}

/** Such an attribute in words: `segment pro`. */
export function segmentOfAttribute(attribute: string): string {
  return `segment ${attribute.slice(PREFIX.length)}`;
}

/** Whether an attribute is one of these. */
export function isSegmentAttribute(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** How a list is called in a payload: an id and a name are never the same text, as no segment's list has a name of digits alone. */
export function listKey(list: number | string): string {
  return String(list);
}

/** The lists of segments among a destination's options, by `listKey`: as written, or their ids once those are known. */
export type SegmentLists = Readonly<Record<string, number | string>>;

/** Options with the lists of segments; the same ones where there are none. */
export function withSegmentLists(options: unknown, lists: readonly (number | string)[] | undefined): unknown {
  if (lists === undefined || lists.length === 0 || typeof options !== 'object' || options === null) return options;
  const named = Object.fromEntries(lists.map((list) => [listKey(list), list]));
  return { ...options, segment_lists: named };
}

/** What a delivery says of lists, by their keys. */
export interface ListChanges {
  /** All that the contact shall be on. */
  readonly in: readonly string[];
  /** Those of them that it is not known to be on. */
  readonly join: readonly string[];
  /** Those that it is on, or may be, by our doing. */
  readonly leave: readonly string[];
}

/**
 * The ids of lists that a contact joins and leaves with a request.
 * @param anew whether the contact may be made by it: then it is on none yet
 * @throws RollcallError `RC_LIST_UNRESOLVED` where the id of one was never looked up
 */
export function segmentChanges(
  changes: ListChanges | undefined,
  lists: SegmentLists | undefined,
  anew: boolean,
): { readonly join: readonly number[]; readonly leave: readonly number[] } {
  if (changes === undefined || lists === undefined) return { join: [], leave: [] };
  const idOf = (key: string): number[] => {
    const id = lists[key];
    // The config has changed since: nobody keeps that list any more.
    if (id === undefined) return [];
    if (typeof id === 'number') return [id];
    throw new RollcallError(
      'RC_LIST_UNRESOLVED',
      `The list "${id}" of a segment is named but its id was never looked up.`,
      {
        hint: 'This is a mistake in Rollcall. Please report it; ids in `segments` avoid it.',
      },
    );
  };
  return { join: (anew ? changes.in : changes.join).flatMap(idOf), leave: changes.leave.flatMap(idOf) };
}
