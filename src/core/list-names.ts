import { RollcallError } from './errors.ts';
import type { RemoteList } from './lists.ts';
import type { SegmentLists } from './segments.ts';

/**
 * List names replaced by ids, each once. Names compare exactly.
 * @param listed ids, and names of lists; of a destination whose ids are texts, what is the id of a list counts as such
 * @param key of the config that names them
 * @throws RollcallError RC_LIST_UNKNOWN when no list, or more than one, has a name
 */
export function idsOfLists(
  vendor: string,
  listed: readonly (number | string)[],
  lists: readonly RemoteList[],
  key: 'lists' | 'segments' = 'lists',
): readonly (number | string)[] {
  const idOf = (name: string): number | string => {
    const byId = lists.find((list) => list.id === name);
    if (byId !== undefined) return byId.id;
    const [found, ...more] = lists.filter((list) => list.name === name);
    if (found !== undefined && more.length === 0) return found.id;
    const known = lists.map((list) => `${list.name} (${list.id})`).join(', ');
    throw new RollcallError(
      'RC_LIST_UNKNOWN',
      found === undefined ? `${vendor} has no list named "${name}".` : `${vendor} has several lists named "${name}".`,
      {
        hint:
          known === ''
            ? `Create the list at ${vendor} (or have \`rollcall apply\` do it: create_missing: [fields, lists]), or take it out of \`${key}\`.`
            : `Write the id of one of these in \`${key}\`: ${known}. Or have \`rollcall apply\` create it: create_missing: [fields, lists].`,
        place: { path: key },
      },
    );
  };
  return [...new Set(listed.map((list) => (typeof list === 'number' ? list : idOf(list))))];
}

/**
 * The lists of segments with ids instead of names. A list that two segments keep, one of them by its name and the other by its id, would be
 * joined by the one and left by the other; the same of a list that everybody joins.
 * @param everybodys ids of the lists that everybody joins
 * @throws RollcallError RC_LIST_UNKNOWN as above, RC_LIST_SHARED
 */
export function idsOfSegments(
  vendor: string,
  kept: SegmentLists,
  lists: readonly RemoteList[],
  everybodys: readonly (number | string)[],
): SegmentLists {
  const found = Object.entries(kept).map(
    ([key, list]) => [key, idsOfLists(vendor, [list], lists, 'segments')[0] ?? list] as const,
  );
  for (const [n, [key, id]] of found.entries()) {
    const other = found.slice(0, n).find((each) => each[1] === id);
    const what = everybodys.includes(id) ? 'everybody joins it' : other && `another segment keeps it as "${other[0]}"`;
    if (what === undefined) continue;
    throw new RollcallError(
      'RC_LIST_SHARED',
      `The list "${key}" of a segment is list ${id} at ${vendor}, and ${what}.`,
      {
        hint: 'Each list is kept by one segment: give this one a list of its own, or put two conditions into one segment with `or`.',
        place: { path: 'segments' },
      },
    );
  }
  return Object.freeze(Object.fromEntries(found));
}
