import type { AttributeMapping, ContactTable, UserMapping } from '../core/mapping.ts';
import { listKey, type Segment, segmentAttribute, withSegmentLists } from '../core/segments.ts';
import { tableKey } from './table-name.ts';
import type { DestinationConfig } from './types.ts';

/** What segments are woven into. */
interface Mapped {
  readonly userMapping: UserMapping;
  readonly tables: readonly ContactTable[];
  readonly destinations: readonly DestinationConfig[];
}

/**
 * A mapping with its segments: each is an attribute of the rows that it looks at, true for its members, which one destination takes as
 * a list and no other takes at all. So whatever holds for attributes (what is captured, paused, checked, and looked at again with the
 * clock) holds for segments.
 * @param saysMissing whether a destination's config says what may be created there
 */
export function applySegments(
  mapped: Mapped,
  segments: readonly Segment[],
  saysMissing: (destination: string) => boolean,
): Mapped {
  if (segments.length === 0) return mapped;
  const of = (kind: Segment['from']['kind'][], table?: string): readonly AttributeMapping[] =>
    segments
      .filter(
        ({ from }) =>
          kind.includes(from.kind) &&
          (table === undefined || (from.kind !== 'users' && tableKey(from.table) === table)),
      )
      .map(attributeOf);
  return {
    userMapping: { ...mapped.userMapping, attributes: [...mapped.userMapping.attributes, ...of(['users', 'related'])] },
    tables: mapped.tables.map((table) => ({
      ...table,
      attributes: [...table.attributes, ...of(['contacts'], tableKey(table.table))],
    })),
    destinations: mapped.destinations.map((destination) =>
      withLists(destination, segments, saysMissing(destination.name)),
    ),
  };
}

/** True for a member and nothing for anybody else. */
function attributeOf({ name, from, where, path }: Segment): AttributeMapping {
  const place = { path, line: where.line, column: where.column };
  const common = { name: segmentAttribute(name), transforms: [], type: 'boolean', onNull: 'skip', ...place } as const;
  if (from.kind !== 'related') {
    return { ...common, source: { kind: 'sql', expression: `nullif((${where.expression}\n) is true, false)` } };
  }
  const rows = { table: from.table, link: from.link, where, baseTables: [], everyMs: undefined, ...place };
  return { ...common, source: { kind: 'aggregate', expression: 'nullif(count(*) > 0, false)', from: rows } };
}

function withLists(
  destination: DestinationConfig,
  segments: readonly Segment[],
  saysMissing: boolean,
): DestinationConfig {
  const own = segments.filter((segment) => segment.destination === destination.name);
  const adjustment = destination.adjustment ?? { only: undefined, drop: [], rename: {}, retype: [], where: undefined };
  // A destination without a segment has to leave out what the mapping makes for others.
  if (own.length === 0) return { ...destination, adjustment };
  const lists = Object.fromEntries(own.map(({ name, list }) => [segmentAttribute(name), listKey(list)]));
  const segmentLists = own.map(({ list }) => list);
  return {
    ...destination,
    adjustment: { ...adjustment, lists },
    segmentLists,
    options: withSegmentLists(destination.options, segmentLists),
    // Whoever names a list that is not there wants it made.
    createMissing: saysMissing ? destination.createMissing : { ...destination.createMissing, lists: true },
  };
}
